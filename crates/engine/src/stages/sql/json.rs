//! Numbers within MySQL's JSON that are not what their text says.
//!
//! JSON made from columns, as a trigger of an audit log makes it, holds DECIMAL values: they are shown as `10.50`.
//! The same text, parsed, becomes the DOUBLE `10.5`, and long ones lose digits. Such numbers are put back as
//! what they were, each at its path.

/// One number to put back.
#[derive(Debug, PartialEq, Eq)]
pub struct Number<'a> {
    /// Its path, e.g. `$."valores"[2]`.
    pub path: String,
    /// Its digits.
    pub digits: &'a str,
}

impl Number<'_> {
    /// Precision and scale of the DECIMAL that it is.
    pub fn decimal(&self) -> (usize, usize) {
        let digits = self.digits.trim_start_matches('-');
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let whole = whole.trim_start_matches('0').len();
        ((whole + fraction.len()).max(1), fraction.len())
    }
}

/// Finds the numbers of a document, as MySQL spells it, that would be others if it were parsed.
pub fn numbers_that_change(document: &[u8]) -> Vec<Number<'_>> {
    let Ok(text) = std::str::from_utf8(document) else { return Vec::new() };
    // Most documents have no such number; only then is it worth knowing where in the document one stands.
    let suspicious =
        tokens(text).any(|token| matches!(token, Token::Number(digits) if changes(digits)));
    if suspicious { located(text) } else { Vec::new() }
}

fn located(text: &str) -> Vec<Number<'_>> {
    let mut numbers = Vec::new();
    let mut path: Vec<Step> = Vec::new();
    for token in tokens(text) {
        match token {
            Token::Open(b'{') => path.push(Step::Member(None)),
            Token::Open(_) => path.push(Step::Element(0)),
            Token::Close => _ = path.pop(),
            Token::Comma => match path.last_mut() {
                Some(Step::Element(place)) => *place += 1,
                Some(Step::Member(name)) => *name = None,
                None => {}
            },
            Token::String(name) => {
                if let Some(Step::Member(expected @ None)) = path.last_mut() {
                    *expected = Some(name);
                }
            }
            Token::Number(digits) if changes(digits) => {
                let path = path.iter().map(Step::spelled).collect::<String>();
                numbers.push(Number { path: format!("${path}"), digits });
            }
            Token::Number(_) => {}
        }
    }
    numbers
}

enum Step<'a> {
    /// A member of an object; its name, with quotes and escapes, once it was seen.
    Member(Option<&'a str>),
    Element(usize),
}

impl Step<'_> {
    fn spelled(&self) -> String {
        match self {
            Self::Member(name) => format!(".{}", name.unwrap_or_default()),
            Self::Element(place) => format!("[{place}]"),
        }
    }
}

enum Token<'a> {
    Open(u8),
    Close,
    Comma,
    /// With its quotes.
    String(&'a str),
    Number(&'a str),
}

fn tokens(text: &str) -> impl Iterator<Item = Token<'_>> {
    let bytes = text.as_bytes();
    let mut at = 0;
    std::iter::from_fn(move || {
        loop {
            let start = at;
            let &first = bytes.get(at)?;
            at += 1;
            match first {
                b'{' | b'[' => return Some(Token::Open(first)),
                b'}' | b']' => return Some(Token::Close),
                b',' => return Some(Token::Comma),
                b'"' => {
                    at += string_length(&bytes[at..]);
                    return Some(Token::String(&text[start..at]));
                }
                b'-' | b'0'..=b'9' => {
                    let is_part =
                        |byte: &u8| matches!(byte, b'0'..=b'9' | b'.' | b'e' | b'E' | b'+' | b'-');
                    at += bytes[at..].iter().take_while(|byte| is_part(byte)).count();
                    return Some(Token::Number(&text[start..at]));
                }
                _ => {}
            }
        }
    })
}

/// Bytes up to and with the closing quote.
fn string_length(rest: &[u8]) -> usize {
    let mut escaped = false;
    for (at, byte) in rest.iter().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return at + 1,
            _ => {}
        }
    }
    rest.len()
}

/// Would the server, having parsed these digits, show others? It shows doubles with an exponent, or in the
/// shortest form between 1e-14 and 1e15, and never integers beyond 64 bits. Said too often it does no harm.
fn changes(digits: &str) -> bool {
    if digits.contains(['e', 'E']) {
        return false;
    }
    if !digits.contains('.') {
        return digits.parse::<i64>().is_err() && digits.parse::<u64>().is_err();
    }
    let Ok(value) = digits.parse::<f64>() else { return false };
    let is_plain = value == 0.0 || (1e-14..1e15).contains(&value.abs());
    // Debug gives the shortest digits, with `.0` where there is no fraction; Display does without exponents.
    let shortest = if value.fract() == 0.0 { format!("{value:.1}") } else { format!("{value}") };
    !(is_plain && shortest == digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubles_and_integers_stay() {
        for digits in [
            "0",
            "-1",
            "18446744073709551615",
            "-9223372036854775808",
            "1.0",
            "-0.0",
            "10.5",
            "0.1",
            "1e300",
            "1.2345678901234567e19",
            "-2.5e-7",
            "123456789012345.0",
        ] {
            assert!(!changes(digits), "{digits}");
        }
    }

    #[test]
    fn decimals_are_seen() {
        for (digits, precision, scale) in [
            ("10.50", 4, 2),
            ("-0.10", 2, 2),
            ("0.00", 2, 2),
            ("12345678901234567890.1234560000", 30, 10),
            ("18446744073709551616", 20, 0),
            ("0.0000000000000000001", 19, 19),
            ("1234567890123456.5", 17, 1),
        ] {
            assert!(changes(digits), "{digits}");
            let number = Number { path: String::new(), digits };
            assert_eq!(number.decimal(), (precision, scale), "{digits}");
        }
    }

    #[test]
    fn each_is_found_at_its_path() {
        let document =
            r#"{"a": [1, {"b \"x, 1.50": 2.50, "c": "3.50"}, 4.50], "d": 5.50, "e": []}"#;
        let numbers = numbers_that_change(document.as_bytes());
        let found: Vec<_> =
            numbers.iter().map(|number| (number.path.as_str(), number.digits)).collect();
        let expected =
            [(r#"$."a"[1]."b \"x, 1.50""#, "2.50"), (r#"$."a"[2]"#, "4.50"), (r#"$."d""#, "5.50")];
        assert_eq!(found, expected);
        assert_eq!(numbers_that_change(b"7.10"), [Number { path: "$".to_owned(), digits: "7.10" }]);
        assert_eq!(numbers_that_change(b"[1, 2.5, \"\xff\"]"), []);
    }
}
