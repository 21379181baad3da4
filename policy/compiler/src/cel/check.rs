//! Syntax tree -> program: each node gets a type, and what has none is an error; what holds becomes an instruction.
//!
//! Types follow the CEL checker, with these freedoms: numbers of different types have an order, and elements of a list
//! literal may differ in type. What is `dyn` (properties, context) is checked when it is evaluated.

use portcullis_bundle::bytecode::{Kind, Op};

use super::environment::{self, Declared};
use super::functions::{self, Code, Function, MACROS, Style};
use super::parser::{Expr, Node};
use super::types::{self, Type};
use super::{CelError, Data, Instruction, Program};
use crate::automata::{self, Alphabet};
use crate::names::nearest;

pub(super) fn check(expr: &Expr) -> Result<Program, CelError> {
    let mut checker = Checker { instructions: Vec::new(), variables: Vec::new() };
    let result = checker.expr(expr)?;
    if !result.of.may_be(Kind::Bool) {
        return Err(CelError::new(expr.at, format!("a condition is a bool, found {}", result.of)));
    }
    Ok(Program { instructions: checker.instructions })
}

struct Checker<'e> {
    instructions: Vec<Instruction>,
    /// Variables of the loops around, innermost last; the place is the slot.
    variables: Vec<(&'e str, Type)>,
}

/// An instruction and the type of its value.
struct Typed {
    at: u32,
    of: Type,
}

impl<'e> Checker<'e> {
    fn emit(&mut self, op: Op, x: u8, operands: Vec<Option<u32>>, data: Data, of: Type) -> Typed {
        let at = self.instructions.len() as u32;
        self.instructions.push(Instruction { op, x, operands, data });
        Typed { at, of }
    }

    /// An instruction that has a value of its own.
    fn leaf(&mut self, op: Op, x: u8, data: Data, of: Type) -> Typed {
        self.emit(op, x, Vec::new(), data, of)
    }

    fn apply(&mut self, op: Op, operands: &[Typed], of: Type) -> Typed {
        self.emit(op, 0, operands.iter().map(|operand| Some(operand.at)).collect(), Data::None, of)
    }

    fn exprs(&mut self, exprs: &'e [Expr]) -> Result<Vec<Typed>, CelError> {
        exprs.iter().map(|expr| self.expr(expr)).collect()
    }

    fn expr(&mut self, expr: &'e Expr) -> Result<Typed, CelError> {
        let plain = Type::Plain;
        Ok(match &expr.node {
            Node::Null => self.leaf(Op::Null, 0, Data::None, plain(Kind::Null)),
            Node::Bool(value) => self.leaf(Op::Bool, 0, Data::Number(u64::from(*value)), Type::BOOL),
            Node::Int(value) => self.leaf(Op::Int, 0, Data::Number(value.cast_unsigned()), plain(Kind::Int)),
            Node::Uint(value) => self.leaf(Op::Uint, 0, Data::Number(*value), plain(Kind::Uint)),
            Node::Double(value) => self.leaf(Op::Double, 0, Data::Number(value.to_bits()), plain(Kind::Double)),
            Node::String(value) => self.leaf(Op::String, 0, Data::Text(value.clone()), plain(Kind::String)),
            Node::Bytes(value) => self.leaf(Op::Bytes, 0, Data::Bytes(value.clone()), plain(Kind::Bytes)),
            Node::Name(name) => self.name(expr.at, name)?,
            Node::List(items) => {
                let items = self.exprs(items)?;
                let element = Type::join_all(items.iter().map(|item| item.of.clone()));
                self.apply(Op::List, &items, Type::List(Box::new(element)))
            }
            Node::Map(items) => self.map(items)?,
            Node::Select(target, field) => self.select(expr.at, target, field)?,
            Node::Call { name, target, arguments } => self.call(expr.at, name, target.as_deref(), arguments)?,
            Node::Operator(op, operands) => {
                let operands = self.exprs(operands)?;
                self.operator(expr.at, *op, &operands)?
            }
        })
    }

    // === names and fields ===

    fn name(&mut self, at: usize, name: &str) -> Result<Typed, CelError> {
        if let Some(slot) = self.variables.iter().rposition(|(known, _)| *known == name) {
            let of = self.variables[slot].1.clone();
            return Ok(self.leaf(Op::Variable, slot as u8, Data::None, of));
        }
        if let Some((fact, declared)) = environment::fact(name) {
            return Ok(self.leaf(Op::Fact, fact as u8, Data::None, declared.to_type()));
        }
        if let Some(kind) = environment::type_named(name) {
            return Ok(self.leaf(Op::Type, kind as u8, Data::None, Type::Plain(Kind::Type)));
        }
        if let Some(fields) = environment::record(name) {
            let fields: Vec<&str> = fields.iter().map(|(field, ..)| *field).collect();
            return Err(CelError::new(
                at,
                format!("`{name}` is no value itself, only its fields are: {}", fields.join(", ")),
            ));
        }
        let mut names: Vec<&str> = environment::names().collect();
        names.extend(self.variables.iter().map(|(variable, _)| *variable));
        let near = nearest(name, names.into_iter());
        Err(CelError::new(at, format!("`{name}` is not known{}", did_you_mean(near))))
    }

    /// The fact that `field` of `target` is; `None` when `target` is an expression of its own.
    fn record_field(&self, at: usize, target: &Expr, field: &str) -> Result<Option<(u8, Declared)>, CelError> {
        let Node::Name(record) = &target.node else { return Ok(None) };
        if self.variables.iter().any(|(variable, _)| variable == record) {
            return Ok(None);
        }
        let Some(fields) = environment::record(record) else { return Ok(None) };
        if let Some((_, fact, declared)) = fields.iter().find(|(known, ..)| *known == field) {
            return Ok(Some((*fact as u8, *declared)));
        }
        let near = nearest(field, fields.iter().map(|(known, ..)| *known));
        Err(CelError::new(at, format!("`{record}` has no field `{field}`{}", did_you_mean(near))))
    }

    fn select(&mut self, at: usize, target: &'e Expr, field: &str) -> Result<Typed, CelError> {
        if let Some((fact, declared)) = self.record_field(at, target, field)? {
            return Ok(self.leaf(Op::Fact, fact, Data::None, declared.to_type()));
        }
        if let Some(kind) = qualified(target, field).and_then(|name| environment::type_named(&name)) {
            return Ok(self.leaf(Op::Type, kind as u8, Data::None, Type::Plain(Kind::Type)));
        }
        let target = self.expr(target)?;
        let of = member_type(at, &target.of, field)?;
        Ok(self.emit(Op::Select, 0, vec![Some(target.at)], Data::Text(field.to_owned()), of))
    }

    fn has(&mut self, at: usize, arguments: &'e [Expr]) -> Result<Typed, CelError> {
        let [Expr { at: field_at, node: Node::Select(target, field), .. }] = arguments else {
            return Err(CelError::new(at, "`has` takes a field, as in `has(context.key)`"));
        };
        if let Some((fact, _)) = self.record_field(*field_at, target, field)? {
            return Ok(self.leaf(Op::HasFact, fact, Data::None, Type::BOOL));
        }
        let target = self.expr(target)?;
        member_type(*field_at, &target.of, field)?;
        Ok(self.emit(Op::Has, 0, vec![Some(target.at)], Data::Text(field.clone()), Type::BOOL))
    }

    fn map(&mut self, items: &'e [Expr]) -> Result<Typed, CelError> {
        const KEYS: [Kind; 4] = [Kind::Bool, Kind::Int, Kind::Uint, Kind::String];
        let typed = self.exprs(items)?;
        let types = |from: usize| Type::join_all(typed.iter().skip(from).step_by(2).map(|item| item.of.clone()));
        for (key, expr) in typed.iter().zip(items).step_by(2) {
            if !KEYS.iter().any(|&kind| key.of.may_be(kind)) {
                return Err(CelError::new(expr.at, format!("{} cannot be a key of a map", key.of)));
            }
        }
        let of = Type::Map(Box::new(types(0)), Box::new(types(1)));
        Ok(self.apply(Op::Map, &typed, of))
    }

    // === calls ===

    fn call(
        &mut self,
        at: usize,
        name: &'e str,
        target: Option<&'e Expr>,
        arguments: &'e [Expr],
    ) -> Result<Typed, CelError> {
        match (name, target, arguments) {
            ("has", None, _) => return self.has(at, arguments),
            ("dyn", None, [argument]) => return self.expr(argument).map(|value| Typed { of: Type::Dyn, ..value }),
            ("all" | "exists" | "exists_one" | "filter", Some(range), [variable, predicate]) => {
                return self.quantifier(name, range, variable, predicate);
            }
            ("map", Some(range), [variable, transform]) => return self.collect(range, variable, None, Some(transform)),
            ("map", Some(range), [variable, filter, transform]) => {
                return self.collect(range, variable, Some(filter), Some(transform));
            }
            _ => {}
        }
        let style = if target.is_some() { Style::Method } else { Style::Global };
        let fits = |function: &&Function| function.name == name && [style, Style::Both].contains(&function.style);
        let count = arguments.len() + usize::from(target.is_some());
        let candidates: Vec<&Function> = functions::functions().filter(fits).collect();
        if candidates.is_empty() {
            return Err(no_function(at, name, style));
        }
        if !candidates.iter().any(|function| function.parameters.len() == count) {
            return Err(CelError::new(at, format!("`{name}` does not take {}", counted(arguments.len()))));
        }
        let mut operands = target.map(|target| self.expr(target)).transpose()?.into_iter().collect::<Vec<_>>();
        if name == "matches" {
            return self.matches(at, operands, arguments);
        }
        operands.extend(self.exprs(arguments)?);
        let accepts = |function: &&&Function| {
            let parameters = function.parameters;
            parameters.len() == count
                && operands
                    .iter()
                    .zip(parameters)
                    .all(|(operand, kinds)| operand.of.kind().is_none_or(|kind| kinds.contains(&kind)))
        };
        let function =
            candidates.iter().find(accepts).ok_or_else(|| no_overload(at, &format!("`{name}`"), &operands))?;
        for (place, expr) in target.into_iter().chain(arguments).enumerate() {
            require_value(expr, function.code, place)?;
        }
        let (op, x) = match function.code {
            Code::Op(op) => (op, 0),
            Code::Convert(kind) => (Op::Convert, kind as u8),
            Code::TimePart(part) => (Op::TimePart, part as u8),
        };
        let operands = operands.iter().map(|operand| Some(operand.at)).collect();
        Ok(self.emit(op, x, operands, Data::None, Type::Plain(function.result)))
    }

    /// The pattern is compiled with the policy, so it must be there: a literal.
    fn matches(&mut self, at: usize, mut operands: Vec<Typed>, arguments: &'e [Expr]) -> Result<Typed, CelError> {
        let Some((pattern, text)) = arguments.split_last() else { return Err(no_function(at, "matches", Style::Both)) };
        operands.extend(self.exprs(text)?);
        let Node::String(literal) = &pattern.node else {
            return Err(CelError::new(pattern.at, "the pattern of `matches` must be a string literal"));
        };
        if let Some(bad) = operands.iter().find(|operand| !operand.of.may_be(Kind::String)) {
            return Err(CelError::new(at, format!("`matches` takes a string, found {}", bad.of)));
        }
        let automaton = automata::build(&[literal], Alphabet::Unicode);
        let automaton = automaton.map_err(|error| CelError::new(pattern.at, error.to_string()))?;
        let operands = operands.iter().map(|operand| Some(operand.at)).collect();
        Ok(self.emit(Op::Matches, 0, operands, Data::Automaton(automaton), Type::BOOL))
    }

    // === loops ===

    fn quantifier(
        &mut self,
        name: &str,
        range: &'e Expr,
        variable: &'e Expr,
        predicate: &'e Expr,
    ) -> Result<Typed, CelError> {
        let op = match name {
            "all" => Op::All,
            "exists" => Op::Exists,
            "exists_one" => Op::ExistsOne,
            _ => return self.collect(range, variable, Some(predicate), None),
        };
        let (range, slot) = self.enter(range, variable)?;
        let predicate = self.predicate(predicate)?;
        self.variables.pop();
        Ok(self.emit(op, slot, vec![Some(range), Some(predicate)], Data::None, Type::BOOL))
    }

    /// `map`, and `filter`, whose transform is the variable itself.
    fn collect(
        &mut self,
        range: &'e Expr,
        variable: &'e Expr,
        filter: Option<&'e Expr>,
        transform: Option<&'e Expr>,
    ) -> Result<Typed, CelError> {
        let (range, slot) = self.enter(range, variable)?;
        let filter = filter.map(|filter| self.predicate(filter)).transpose()?;
        let transform = self.expr(transform.unwrap_or(variable))?;
        self.variables.pop();
        let of = Type::List(Box::new(transform.of));
        Ok(self.emit(Op::Collect, slot, vec![Some(range), filter, Some(transform.at)], Data::None, of))
    }

    /// The range of a loop, and the slot of its variable, which is known from here on.
    fn enter(&mut self, range: &'e Expr, variable: &'e Expr) -> Result<(u32, u8), CelError> {
        let Node::Name(name) = &variable.node else {
            return Err(CelError::new(variable.at, "expected a name for the variable of the loop"));
        };
        let at = range.at;
        let range = self.expr(range)?;
        let element = match range.of {
            Type::Dyn => Type::Dyn,
            Type::List(element) | Type::Map(element, _) => *element,
            Type::Plain(_) => return Err(CelError::new(at, format!("expected a list or map, found {}", range.of))),
        };
        self.variables.push((name, element));
        Ok((range.at, (self.variables.len() - 1) as u8))
    }

    fn predicate(&mut self, predicate: &'e Expr) -> Result<u32, CelError> {
        let at = predicate.at;
        let predicate = self.expr(predicate)?;
        if !predicate.of.may_be(Kind::Bool) {
            return Err(CelError::new(at, format!("expected a bool, found {}", predicate.of)));
        }
        Ok(predicate.at)
    }

    // === operators ===

    fn operator(&mut self, at: usize, op: Op, operands: &[Typed]) -> Result<Typed, CelError> {
        let refuse = || Err(no_overload(at, &format!("`{}`", functions::sign(op)), operands));
        let of = match (op, operands) {
            (Op::Equal | Op::NotEqual, [left, right]) if left.of.agrees(&right.of) => Type::BOOL,
            (Op::Equal | Op::NotEqual, _) => return refuse(),
            (Op::In, [value, container]) => match &container.of {
                Type::Dyn => Type::BOOL,
                Type::List(element) | Type::Map(element, _) if value.of.agrees(element) => Type::BOOL,
                _ => return refuse(),
            },
            (Op::Index, [container, index]) => match &container.of {
                Type::Dyn => Type::Dyn,
                Type::List(element) if index.of.may_be(Kind::Int) => (**element).clone(),
                Type::Map(key, value) if index.of.agrees(key) => (**value).clone(),
                _ => return refuse(),
            },
            (Op::Conditional, [condition, then, otherwise]) if condition.of.may_be(Kind::Bool) => {
                if !then.of.agrees(&otherwise.of) {
                    return refuse();
                }
                then.of.clone().join(otherwise.of.clone())
            }
            (Op::Conditional, _) => return refuse(),
            _ => match computed(op, operands) {
                Some(of) => of,
                None => return refuse(),
            },
        };
        Ok(self.apply(op, operands, of))
    }
}

/// What an operator of the table gives; `None` when no signature fits.
fn computed(op: Op, operands: &[Typed]) -> Option<Type> {
    let fits =
        |(kinds, _): &([Kind; 2], Kind)| operands.iter().zip(kinds).all(|(operand, &kind)| operand.of.may_be(kind));
    let mut results: Vec<Kind> = functions::signatures(op).filter(fits).map(|(_, result)| result).collect();
    results.dedup();
    match *results.as_slice() {
        [] => None,
        // Two lists, one of which may be `dyn`.
        [Kind::List] => Some(Type::join_all(operands.iter().map(|operand| match &operand.of {
            Type::Dyn => Type::of(Kind::List),
            of => of.clone(),
        }))),
        [result] => Some(Type::of(result)),
        _ => Some(Type::Dyn),
    }
}

/// The type of a field of a map.
fn member_type(at: usize, map: &Type, field: &str) -> Result<Type, CelError> {
    match map {
        Type::Dyn => Ok(Type::Dyn),
        Type::Map(key, value) if key.may_be(Kind::String) => Ok((**value).clone()),
        _ => Err(CelError::new(at, format!("{map} has no field `{field}`"))),
    }
}

/// `a.b.c`, when the expression is nothing but names.
fn qualified(target: &Expr, field: &str) -> Option<String> {
    match &target.node {
        Node::Name(name) => Some(format!("{name}.{field}")),
        Node::Select(target, name) => Some(format!("{}.{field}", qualified(target, name)?)),
        _ => None,
    }
}

/// Refuses a text literal of which the function can make nothing: every evaluation would fail.
fn require_value(operand: &Expr, code: Code, place: usize) -> Result<(), CelError> {
    let Node::String(text) = &operand.node else { return Ok(()) };
    let kind = match (code, place) {
        (Code::Convert(kind), 0) => kind,
        (Code::Op(Op::Ip), 0) | (Code::Op(Op::ContainsIp), 1) => Kind::Ip,
        (Code::Op(Op::Cidr), 0) | (Code::Op(Op::ContainsCidr), 1) => Kind::Cidr,
        (Code::TimePart(_), 1) if !portcullis_core::is_time_zone(text) => {
            let message = format!("`{text}` is not a time zone: `UTC` or an offset such as `+02:00`");
            return Err(CelError::new(operand.at, message));
        }
        _ => return Ok(()),
    };
    if portcullis_core::reads_as(text, kind) {
        return Ok(());
    }
    Err(CelError::new(operand.at, format!("`{text}` does not stand for a value of type {}", types::name(kind))))
}

fn no_function(at: usize, name: &str, style: Style) -> CelError {
    let usage = match MACROS.iter().find(|(known, _)| *known == name) {
        Some((_, usage)) => Some((*usage).to_owned()),
        None if !functions::functions().any(|function| function.name == name) => None,
        None if style == Style::Method => Some(format!("{name}(..)")),
        None => Some(format!("x.{name}(..)")),
    };
    if let Some(usage) = usage {
        return CelError::new(at, format!("`{name}` is not called so, but as `{usage}`"));
    }
    let names = functions::functions().map(|function| function.name).chain(MACROS.iter().map(|(known, _)| *known));
    let near = nearest(name, names);
    CelError::new(at, format!("function `{name}` is not supported in conditions{}", did_you_mean(near)))
}

fn no_overload(at: usize, what: &str, operands: &[Typed]) -> CelError {
    let types: Vec<String> = operands.iter().map(|operand| operand.of.to_string()).collect();
    let types = match types.as_slice() {
        [first @ .., last] if !first.is_empty() => format!("{} and {last}", first.join(", ")),
        types => types.concat(),
    };
    CelError::new(at, format!("{what} does not take {types}"))
}

fn counted(arguments: usize) -> String {
    match arguments {
        0 => "no arguments".to_owned(),
        1 => "1 argument".to_owned(),
        count => format!("{count} arguments"),
    }
}

fn did_you_mean(near: Option<&str>) -> String {
    near.map_or_else(String::new, |near| format!("; did you mean `{near}`?"))
}
