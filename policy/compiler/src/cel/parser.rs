//! Tokens -> syntax tree (CEL language definition, "Syntax"), bounded in depth while it grows.
//!
//! Brackets, conditionals and the tree itself nest at most `CONDITION_DEPTH` deep. Chains of `&&` and of `||` become
//! balanced trees, so that a long list of alternatives is not a deep one.

use portcullis_bundle::bytecode::Op;
use portcullis_bundle::limits::CONDITION_DEPTH;

use super::CelError;
use super::lexer::{Lexer, Token};

#[derive(Debug)]
pub(super) struct Expr {
    /// Bytes of the text before the name, operator or bracket that the node is.
    pub(super) at: usize,
    /// Nodes on the longest way down, this one included.
    depth: usize,
    pub(super) node: Node,
}

#[derive(Debug)]
pub(super) enum Node {
    Null,
    Bool(bool),
    Int(i64),
    Uint(u64),
    Double(f64),
    String(String),
    Bytes(Vec<u8>),
    Name(String),
    List(Vec<Expr>),
    /// Key, value, key, value.
    Map(Vec<Expr>),
    Select(Box<Expr>, String),
    /// A function of its arguments, or of the value before the point and its arguments.
    Call {
        name: String,
        target: Option<Box<Expr>>,
        arguments: Vec<Expr>,
    },
    /// An operator with as many operands as it has.
    Operator(Op, Vec<Expr>),
}

pub(super) fn parse(text: &str) -> Result<Expr, CelError> {
    let mut lexer = Lexer::new(text);
    let (token, at) = lexer.next()?;
    let mut parser = Parser { lexer, token, at, nesting: 0 };
    let expr = parser.expr()?;
    match parser.token {
        Token::End => Ok(expr),
        _ => Err(parser.unexpected("an operator or the end")),
    }
}

/// Binary operators and how tightly they bind.
const BINARY: [(&str, u8, Op); 14] = [
    ("||", 1, Op::Or),
    ("&&", 2, Op::And),
    ("<", 3, Op::Less),
    ("<=", 3, Op::LessOrEqual),
    (">", 3, Op::Greater),
    (">=", 3, Op::GreaterOrEqual),
    ("==", 3, Op::Equal),
    ("!=", 3, Op::NotEqual),
    ("in", 3, Op::In),
    ("+", 4, Op::Add),
    ("-", 4, Op::Subtract),
    ("*", 5, Op::Multiply),
    ("/", 5, Op::Divide),
    ("%", 5, Op::Modulo),
];

/// Words that CEL keeps for itself.
const RESERVED: [&str; 21] = [
    "as",
    "break",
    "const",
    "continue",
    "else",
    "false",
    "for",
    "function",
    "if",
    "import",
    "in",
    "let",
    "loop",
    "namespace",
    "null",
    "package",
    "return",
    "true",
    "var",
    "void",
    "while",
];

struct Parser<'t> {
    lexer: Lexer<'t>,
    /// The token that comes next, and where.
    token: Token,
    at: usize,
    nesting: usize,
}

impl Parser<'_> {
    fn advance(&mut self) -> Result<(Token, usize), CelError> {
        let (token, at) = self.lexer.next()?;
        Ok((core::mem::replace(&mut self.token, token), core::mem::replace(&mut self.at, at)))
    }

    fn is_sign(&self, sign: &str) -> bool {
        matches!(&self.token, Token::Sign(found) if *found == sign)
    }

    /// Takes `sign`, if it comes next.
    fn take(&mut self, sign: &str) -> Result<bool, CelError> {
        let is_next = self.is_sign(sign);
        if is_next {
            self.advance()?;
        }
        Ok(is_next)
    }

    fn expect(&mut self, sign: &str) -> Result<(), CelError> {
        if self.take(sign)? { Ok(()) } else { Err(self.unexpected(&format!("`{sign}`"))) }
    }

    fn unexpected(&self, expected: &str) -> CelError {
        CelError::new(self.at, format!("expected {expected}, found {}", self.token.show()))
    }

    fn expr(&mut self) -> Result<Expr, CelError> {
        if self.nesting == CONDITION_DEPTH {
            return Err(too_deep(self.at));
        }
        self.nesting += 1;
        let condition = self.binary(1)?;
        let at = self.at;
        let expr = if self.take("?")? {
            let then = self.binary(1)?;
            self.expect(":")?;
            let otherwise = self.expr()?;
            operator(at, Op::Conditional, vec![condition, then, otherwise])?
        } else {
            condition
        };
        self.nesting -= 1;
        Ok(expr)
    }

    /// Operators that bind at least as tightly as `least`.
    fn binary(&mut self, least: u8) -> Result<Expr, CelError> {
        let mut left = self.unary()?;
        while let Some((strength, op)) = self.binary_operator().filter(|(strength, _)| *strength >= least) {
            let (_, at) = self.advance()?;
            let right = self.binary(strength + 1)?;
            if !matches!(op, Op::And | Op::Or) {
                left = operator(at, op, vec![left, right])?;
                continue;
            }
            let (mut terms, mut places) = (vec![left, right], vec![at]);
            while self.binary_operator().is_some_and(|(_, next)| next == op) {
                places.push(self.advance()?.1);
                terms.push(self.binary(strength + 1)?);
            }
            left = balanced(op, terms, &places)?;
        }
        Ok(left)
    }

    fn binary_operator(&self) -> Option<(u8, Op)> {
        let name = match &self.token {
            Token::Sign(sign) => sign,
            Token::Word(word) => word.as_str(),
            _ => return None,
        };
        BINARY.into_iter().find(|(sign, ..)| *sign == name).map(|(_, strength, op)| (strength, op))
    }

    fn unary(&mut self) -> Result<Expr, CelError> {
        let op = match self.token {
            Token::Sign("!") => Op::Not,
            Token::Sign("-") => Op::Negate,
            _ => return self.member(),
        };
        let (_, at) = self.advance()?;
        let number = match (op, &self.token) {
            (Op::Negate, Token::Int(value)) => Some(Node::Int(-value)),
            (Op::Negate, Token::IntEnd) => Some(Node::Int(i64::MIN)),
            (Op::Negate, Token::Double(value)) => Some(Node::Double(-value)),
            _ => None,
        };
        if let Some(node) = number {
            self.advance()?;
            return self.tail(Expr { at, depth: 1, node });
        }
        if self.nesting == CONDITION_DEPTH {
            return Err(too_deep(at));
        }
        self.nesting += 1;
        let operand = self.unary()?;
        self.nesting -= 1;
        operator(at, op, vec![operand])
    }

    fn member(&mut self) -> Result<Expr, CelError> {
        let primary = self.primary()?;
        self.tail(primary)
    }

    /// Fields, calls and indices behind a value.
    fn tail(&mut self, mut value: Expr) -> Result<Expr, CelError> {
        loop {
            let at = self.at;
            if self.take("[")? {
                if self.is_sign("?") {
                    return Err(unsupported(self.at, "an optional index"));
                }
                let index = self.expr()?;
                self.expect("]")?;
                value = operator(at, Op::Index, vec![value, index])?;
            } else if self.take(".")? {
                if self.is_sign("?") {
                    return Err(unsupported(self.at, "an optional field"));
                }
                let at = self.at;
                let Token::Word(name) = self.token.clone() else { return Err(self.unexpected("a name")) };
                self.advance()?;
                value = if self.take("(")? {
                    let arguments = self.list(")")?;
                    call(at, name, Some(Box::new(value)), arguments)?
                } else {
                    let depth = value.depth + 1;
                    bounded(Expr { at, depth, node: Node::Select(Box::new(value), name) })?
                };
            } else if self.is_sign("{") {
                return Err(unsupported(self.at, "a message"));
            } else {
                return Ok(value);
            }
        }
    }

    fn primary(&mut self) -> Result<Expr, CelError> {
        if self.is_sign(".") {
            return Err(unsupported(self.at, "a name that starts with a point"));
        }
        if self.take("(")? {
            let expr = self.expr()?;
            self.expect(")")?;
            return Ok(expr);
        }
        if !matches!(self.token, Token::Sign("[" | "{"))
            && matches!(self.token, Token::Sign(_) | Token::End | Token::IntEnd)
        {
            return Err(match self.token {
                Token::IntEnd => CelError::new(self.at, "number is out of range"),
                _ => self.unexpected("a value"),
            });
        }
        let (token, at) = self.advance()?;
        let node = match token {
            Token::Int(value) => Node::Int(value),
            Token::Uint(value) => Node::Uint(value),
            Token::Double(value) => Node::Double(value),
            Token::String(value) => Node::String(value),
            Token::Bytes(value) => Node::Bytes(value),
            Token::Sign("[") => return self.list("]").and_then(|items| collection(at, items, Node::List)),
            Token::Sign(_) | Token::End | Token::IntEnd => return self.entries(at),
            Token::Word(word) => match &*word {
                "true" | "false" => Node::Bool(word == "true"),
                "null" => Node::Null,
                word if RESERVED.contains(&word) => {
                    return Err(CelError::new(at, format!("`{word}` is a reserved word")));
                }
                _ if self.take("(")? => {
                    let arguments = self.list(")")?;
                    return call(at, word, None, arguments);
                }
                _ => Node::Name(word),
            },
        };
        Ok(Expr { at, depth: 1, node })
    }

    /// Expressions up to the closing bracket; a comma may stand behind the last one, except of arguments.
    fn list(&mut self, close: &str) -> Result<Vec<Expr>, CelError> {
        let mut items = Vec::new();
        while !self.is_sign(close) {
            if self.is_sign("?") {
                return Err(unsupported(self.at, "an optional element"));
            }
            items.push(self.expr()?);
            if !self.take(",")? {
                break;
            }
            if close == ")" && self.is_sign(close) {
                return Err(self.unexpected("a value"));
            }
        }
        if self.take(close)? { Ok(items) } else { Err(self.unexpected(&format!("`,` or `{close}`"))) }
    }

    fn entries(&mut self, at: usize) -> Result<Expr, CelError> {
        let mut items = Vec::new();
        while !self.is_sign("}") {
            if self.is_sign("?") {
                return Err(unsupported(self.at, "an optional entry"));
            }
            items.push(self.expr()?);
            self.expect(":")?;
            items.push(self.expr()?);
            if !self.take(",")? {
                break;
            }
        }
        if self.take("}")? { collection(at, items, Node::Map) } else { Err(self.unexpected("`,` or `}`")) }
    }
}

fn too_deep(at: usize) -> CelError {
    CelError::new(at, format!("expression is nested deeper than {CONDITION_DEPTH}, the limit"))
}

fn unsupported(at: usize, what: &str) -> CelError {
    CelError::new(at, format!("{what} is not supported in conditions"))
}

fn bounded(expr: Expr) -> Result<Expr, CelError> {
    if expr.depth > CONDITION_DEPTH { Err(too_deep(expr.at)) } else { Ok(expr) }
}

fn deepest<'e>(exprs: impl IntoIterator<Item = &'e Expr>) -> usize {
    exprs.into_iter().map(|expr| expr.depth).max().unwrap_or(0)
}

fn operator(at: usize, op: Op, operands: Vec<Expr>) -> Result<Expr, CelError> {
    bounded(Expr { at, depth: deepest(&operands) + 1, node: Node::Operator(op, operands) })
}

fn collection(at: usize, items: Vec<Expr>, node: fn(Vec<Expr>) -> Node) -> Result<Expr, CelError> {
    bounded(Expr { at, depth: deepest(&items) + 1, node: node(items) })
}

fn call(at: usize, name: String, target: Option<Box<Expr>>, arguments: Vec<Expr>) -> Result<Expr, CelError> {
    let depth = deepest(target.as_deref().into_iter().chain(&arguments)) + 1;
    bounded(Expr { at, depth, node: Node::Call { name, target, arguments } })
}

/// `terms` with `op` between them, as a tree of least depth; `places` are those of the operators.
fn balanced(op: Op, mut terms: Vec<Expr>, places: &[usize]) -> Result<Expr, CelError> {
    if terms.len() == 2 {
        return operator(places[0], op, terms);
    }
    let middle = terms.len() / 2;
    let right = terms.split_off(middle);
    let (before, rest) = places.split_at(middle - 1);
    let side = |mut terms: Vec<Expr>, places: &[usize]| match terms.len() {
        1 => Ok(terms.remove(0)),
        _ => balanced(op, terms, places),
    };
    operator(rest[0], op, vec![side(terms, before)?, side(right, &rest[1..])?])
}
