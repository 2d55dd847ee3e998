//! Reading SQL just far enough to know where strings, quoted names and comments are.

/// Where a character of SQL stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// Outside of everything.
    Code,
    /// Within quotes of this kind, the quotes themselves included.
    Quoted(char),
    /// Within a comment.
    Comment,
}

/// Gives every character of a text with its place.
pub(super) struct Scan<'a> {
    rest: std::iter::Peekable<std::str::CharIndices<'a>>,
    state: State,
    escapes: bool,
}

#[derive(Clone, Copy, PartialEq)]
enum State {
    Code,
    Quoted(char),
    Escaped(char),
    Line,
    Block,
    BlockStar,
}

impl<'a> Scan<'a> {
    /// `escapes` says whether a backslash escapes within strings, as it does unless a mode forbids it.
    pub(super) fn new(text: &'a str, escapes: bool) -> Self {
        Self { rest: text.char_indices().peekable(), state: State::Code, escapes }
    }

    fn begin(&mut self, c: char) -> State {
        let next = self.rest.peek().map(|&(_, next)| next);
        match c {
            '\'' | '"' | '`' => State::Quoted(c),
            '#' => State::Line,
            '-' if next == Some('-') => {
                let mut ahead = self.rest.clone();
                let after = ahead.nth(1).map(|(_, after)| after);
                if after.is_none_or(|after| after.is_whitespace() || after.is_control()) {
                    State::Line
                } else {
                    State::Code
                }
            }
            '/' if next == Some('*') => {
                // `/*!` and MariaDB's `/*M!` hold code.
                let mut ahead = self.rest.clone();
                let after = [ahead.nth(1), ahead.next()].map(|next| next.map(|(_, c)| c));
                match after {
                    [Some('!'), _] | [Some('M'), Some('!')] => State::Code,
                    _ => State::Block,
                }
            }
            _ => State::Code,
        }
    }
}

impl Iterator for Scan<'_> {
    type Item = (usize, char, Place);

    fn next(&mut self) -> Option<Self::Item> {
        let (at, c) = self.rest.next()?;
        let (place, state) = match self.state {
            State::Code => {
                let state = self.begin(c);
                let place = match state {
                    State::Quoted(quote) => Place::Quoted(quote),
                    State::Line | State::Block => Place::Comment,
                    _ => Place::Code,
                };
                (place, state)
            }
            // A doubled quote closes and opens again, which comes to the same.
            State::Quoted(quote) if c == quote => (Place::Quoted(quote), State::Code),
            State::Quoted(quote) if c == '\\' && quote != '`' && self.escapes => {
                (Place::Quoted(quote), State::Escaped(quote))
            }
            State::Quoted(quote) | State::Escaped(quote) => {
                (Place::Quoted(quote), State::Quoted(quote))
            }
            State::Line if c == '\n' => (Place::Comment, State::Code),
            State::Line => (Place::Comment, State::Line),
            State::BlockStar if c == '/' => (Place::Comment, State::Code),
            State::Block | State::BlockStar if c == '*' => (Place::Comment, State::BlockStar),
            State::Block | State::BlockStar => (Place::Comment, State::Block),
        };
        self.state = state;
        Some((at, c, place))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `c` for code, `q` for quoted, `-` for comments.
    fn places(text: &str, escapes: bool) -> String {
        Scan::new(text, escapes)
            .map(|(_, _, place)| match place {
                Place::Code => 'c',
                Place::Quoted(_) => 'q',
                Place::Comment => '-',
            })
            .collect()
    }

    #[test]
    fn strings_names_and_comments_are_told_apart() {
        for (text, expected) in [
            ("a 'b''c' `d`", "ccqqqqqqcqqq"),
            (r"'a\'b' c", "qqqqqqcc"),
            ("a -- 'b\nc", "cc------c"),
            ("a --'b'", "cccccqqq".get(1..).unwrap()),
            ("# it's\n'b'", "-------qqq"),
            ("/* 'a' */ b", "---------cc"),
            ("/*! 'a' */", "ccccqqqccc"),
            ("/*M! 'a' */ /*M 'a' */", "cccccqqqcccc----------"),
            ("--", "--"),
            ("/**/a", "----c"),
        ] {
            assert_eq!(places(text, true), expected, "{text}");
        }
        assert_eq!(places(r"'a\' b", false), "qqqqcc");
        assert_eq!(places("`a\\` b", true), "qqqqcc");
    }
}
