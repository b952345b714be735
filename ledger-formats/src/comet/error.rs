//! Why bytes are not the value that they should be: what, in which field, at which byte.

/// Where in a value something was found: the path of field names and the byte offset in the value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// Message and field names from the outside in, joined by dots: `Block.header.time`.
    pub path: String,
    /// Offset from the first byte of the value that was decoded.
    pub offset: usize,
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} at byte {}", self.path, self.offset)
    }
}

/// Why a value could not be decoded.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// The value ends inside a field.
    #[error("{place}: {expected} bytes expected, {actual} left")]
    Truncated {
        /// Where the missing bytes should begin.
        place: Place,
        /// Bytes announced or needed.
        expected: u64,
        /// Bytes that are there.
        actual: usize,
    },
    /// A variable-length integer has more than 64 bits.
    #[error("{place}: an integer of at most 64 bits expected, a longer one found")]
    VarintTooLong {
        /// Where it begins.
        place: Place,
    },
    /// A field's tag is not one that the format has.
    #[error("{place}: tag {actual} is not a field number from 1 to 536870911 with wire type 0, 1, 2 or 5")]
    Tag {
        /// Where the tag begins.
        place: Place,
        /// The tag.
        actual: u64,
    },
    /// A field is there in another shape than its type has.
    #[error("{place}: {expected} expected, {actual} found")]
    WireType {
        /// The field.
        place: Place,
        /// Wire type of the field's type.
        expected: &'static str,
        /// Wire type found.
        actual: &'static str,
    },
    /// A field that can be there once is there again; upstream would merge the two.
    #[error("{place}: at most one such field expected, a second found")]
    Repeated {
        /// The second one.
        place: Place,
    },
    /// A number outside the values that the field can have.
    #[error("{place}: {expected} expected, {actual} found")]
    Range {
        /// The field.
        place: Place,
        /// The allowed values in words.
        expected: &'static str,
        /// The number.
        actual: i128,
    },
    /// A byte string of a wrong length.
    #[error("{place}: {expected} bytes expected, {actual} found")]
    Length {
        /// The field.
        place: Place,
        /// The length it should have.
        expected: usize,
        /// The length it has.
        actual: usize,
    },
    /// A field without which the value means nothing is not there.
    #[error("{place}: expected, but absent")]
    Missing {
        /// The field; the offset is that of the message.
        place: Place,
    },
    /// A public key of a kind that this tool does not know.
    #[error("{place}: a known public key type expected, {actual} found")]
    KeyType {
        /// The field.
        place: Place,
        /// Name or field number of the kind.
        actual: String,
    },
    /// A value that is not a protobuf message and not what it should be.
    #[error("{place}: {expected} expected, {actual} found")]
    Text {
        /// What is decoded.
        place: Place,
        /// What it should be.
        expected: &'static str,
        /// The beginning of what it is, with unprintable bytes escaped.
        actual: String,
    },
}

impl DecodeError {
    /// The same error, one level further in: `name` is put before its path.
    #[must_use]
    pub fn within(mut self, name: &str) -> Self {
        let path = &mut self.place_mut().path;
        *path = if path.is_empty() { name.to_owned() } else { format!("{name}.{path}") };
        self
    }

    /// Where it was found.
    #[must_use]
    pub fn place(&self) -> &Place {
        match self {
            Self::Truncated { place, .. }
            | Self::VarintTooLong { place }
            | Self::Tag { place, .. }
            | Self::WireType { place, .. }
            | Self::Repeated { place }
            | Self::Range { place, .. }
            | Self::Length { place, .. }
            | Self::Missing { place }
            | Self::KeyType { place, .. }
            | Self::Text { place, .. } => place,
        }
    }

    fn place_mut(&mut self) -> &mut Place {
        match self {
            Self::Truncated { place, .. }
            | Self::VarintTooLong { place }
            | Self::Tag { place, .. }
            | Self::WireType { place, .. }
            | Self::Repeated { place }
            | Self::Range { place, .. }
            | Self::Length { place, .. }
            | Self::Missing { place }
            | Self::KeyType { place, .. }
            | Self::Text { place, .. } => place,
        }
    }

    pub(crate) fn text(name: &str, expected: &'static str, actual: &[u8]) -> Self {
        let shown = actual.get(..40).unwrap_or(actual).escape_ascii().to_string();
        Self::Text { place: Place { path: name.to_owned(), offset: 0 }, expected, actual: shown }
    }
}
