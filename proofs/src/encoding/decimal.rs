//! Decimal numbers without signs, leading zeros or separators.

/// Why text is not a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DecimalError {
    /// There is nothing.
    #[error("number is empty")]
    Empty,
    /// Something that is not an ASCII digit.
    #[error("number has something else than digits")]
    NotDigits,
    /// A zero before other digits.
    #[error("number has leading zeros")]
    LeadingZero,
    /// More than 2^64 - 1.
    #[error("number passes 64 bits")]
    TooLarge,
}

/// The number spelled by `text`.
pub(crate) fn decimal(text: &str) -> Result<u64, DecimalError> {
    match text.as_bytes() {
        [] => Err(DecimalError::Empty),
        digits if !digits.iter().all(u8::is_ascii_digit) => Err(DecimalError::NotDigits),
        [b'0', _, ..] => Err(DecimalError::LeadingZero),
        _ => text.parse().map_err(|_| DecimalError::TooLarge),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_has_one_spelling() {
        assert_eq!(decimal("0"), Ok(0));
        assert_eq!(decimal("18446744073709551615"), Ok(u64::MAX));
        assert_eq!(decimal(""), Err(DecimalError::Empty));
        assert_eq!(decimal("00"), Err(DecimalError::LeadingZero));
        assert_eq!(decimal("07"), Err(DecimalError::LeadingZero));
        assert_eq!(decimal("18446744073709551616"), Err(DecimalError::TooLarge));
        for text in ["+7", "-7", " 7", "7 ", "0x7", "7_000", "٧"] {
            assert_eq!(decimal(text), Err(DecimalError::NotDigits), "{text:?}");
        }
    }
}
