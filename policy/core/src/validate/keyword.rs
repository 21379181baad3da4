//! What a violation is called, and what it says when its schema does not say otherwise.

macro_rules! keywords {
    ($($name:ident $text:literal $code:literal $message:literal,)*) => {
        /// The keyword that a part of a document does not satisfy.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Keyword { $($name,)* }

        impl Keyword {
            /// As in a schema.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            /// Stable code of a violation whose schema gives none.
            pub const fn code(self) -> &'static str {
                match self { $(Self::$name => $code,)* }
            }

            /// In English; names in braces are parameters.
            pub(super) const fn message(self) -> &'static str {
                match self { $(Self::$name => $message,)* }
            }
        }
    };
}

keywords! {
    False "false" "not_allowed" "must not be there",
    Type "type" "type" "must be of type {expected}, not {actual}",
    Const "const" "const" "must be {expected}",
    Enum "enum" "enum" "must be one of the allowed values",
    AnyOf "anyOf" "any_of" "must satisfy at least one of the alternatives",
    OneOf "oneOf" "one_of" "must satisfy exactly one of the alternatives, satisfies {actual}",
    Not "not" "not" "must not be like this",
    Minimum "minimum" "minimum" "must be at least {limit}",
    Maximum "maximum" "maximum" "must be at most {limit}",
    ExclusiveMinimum "exclusiveMinimum" "exclusive_minimum" "must be more than {limit}",
    ExclusiveMaximum "exclusiveMaximum" "exclusive_maximum" "must be less than {limit}",
    MultipleOf "multipleOf" "multiple_of" "must be a multiple of {divisor}",
    MinLength "minLength" "min_length" "must have at least {limit} characters, has {actual}",
    MaxLength "maxLength" "max_length" "must have at most {limit} characters, has {actual}",
    Pattern "pattern" "pattern" "must match {pattern}",
    Format "format" "format" "must be a valid {format}",
    MinItems "minItems" "min_items" "must have at least {limit} items, has {actual}",
    MaxItems "maxItems" "max_items" "must have at most {limit} items, has {actual}",
    UniqueItems "uniqueItems" "unique_items" "must not have equal items: {second} is the same as {first}",
    Items "items" "items" "must have no more items than are described",
    Contains "contains" "contains" "must have an item like the one described",
    MinContains "minContains" "min_contains" "must have at least {limit} items like the one described, has {actual}",
    MaxContains "maxContains" "max_contains" "must have at most {limit} items like the one described, has {actual}",
    MinProperties "minProperties" "min_properties" "must have at least {limit} properties, has {actual}",
    MaxProperties "maxProperties" "max_properties" "must have at most {limit} properties, has {actual}",
    Required "required" "required" "must have the property {property}",
    DependentRequired "dependentRequired" "dependent_required"
        "must have the property {property}, because it has {because}",
    PropertyNames "propertyNames" "property_names" "must not be called {property}",
    AdditionalProperties "additionalProperties" "additional_properties" "is not a known property",
    UnevaluatedItems "unevaluatedItems" "unevaluated_items" "is an item that nothing describes",
    UnevaluatedProperties "unevaluatedProperties" "unevaluated_properties" "is not a known property",
}
