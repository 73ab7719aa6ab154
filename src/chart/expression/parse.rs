//! Tokens to a tree. The grammar is a subset of CEL's, with its binding:
//! `?:`, then `||`, `&&`, relations, `+ -`, `*`, `! -`, and names, literals, calls, parentheses.

use std::ops::Range;

use super::function::Function;
use super::near::did_you_mean;
use super::node::{Arithmetic, Compare, Kind, Node, Test};
use super::token::{Placed, Token, tokens};
use super::{Complaint, MAX_DEPTH, MAX_SOURCE};

/// The tree of `source`, or everything that is wrong with its form.
pub(super) fn parse(source: &str) -> Result<Node, Vec<Complaint>> {
    if source.len() > MAX_SOURCE {
        let message = format!("the expression has more than {MAX_SOURCE} bytes");
        return Err(vec![Complaint::new("too_long", message, 0..source.len())]);
    }
    let (tokens, complaints) = tokens(source);
    let mut parser = Parser { tokens: tokens.into_iter().peekable(), end: 0, complaints };
    let parsed = parser.choice(0).and_then(|grown| {
        let (token, span) = parser.next();
        if token == Token::End { Ok(grown) } else { Err(stray(&token, span)) }
    });
    match parsed {
        Ok(grown) if parser.complaints.is_empty() => Ok(grown.node),
        Ok(_) => Err(parser.complaints),
        Err(complaint) => {
            // What follows a misspelt sign is guesswork: say only what is certain.
            if parser.complaints.is_empty() {
                parser.complaints.push(complaint);
            }
            Err(parser.complaints)
        }
    }
}

/// A tree and how many levels it has below its root.
struct Grown {
    node: Node,
    height: usize,
}

type Parsed = Result<Grown, Complaint>;

struct Parser {
    tokens: std::iter::Peekable<std::vec::IntoIter<Placed>>,
    /// Where the last token taken ended.
    end: usize,
    complaints: Vec<Complaint>,
}

/// The complaint about a token that cannot stand where it stands.
fn stray(token: &Token, span: Range<usize>) -> Complaint {
    let (message, help) = match token {
        Token::End => ("the expression ends too early".to_owned(), None),
        Token::Word(word) => {
            let help = match word.as_str() {
                "and" => Some("write `&&`"),
                "or" => Some("write `||`, or `or(name, default)`"),
                "not" => Some("write `!`"),
                _ => Some("an operator such as `&&` or `==` is missing before it"),
            };
            (format!("`{word}` cannot stand here"), help)
        }
        Token::Int(int) => (format!("`{int}` cannot stand here"), None),
        Token::Text(text) => (format!("`'{text}'` cannot stand here"), None),
        Token::Sign("=") => ("`=` is no operator".to_owned(), Some("compare with `==`")),
        Token::Sign("?" | ":") => (
            "this choice cannot stand here".to_owned(),
            Some("write `a ? b : c`, and put a choice inside another one's middle in parentheses"),
        ),
        Token::Sign(sign) => (format!("`{sign}` cannot stand here"), None),
    };
    Complaint::new("syntax", message, span).helped(help.map(str::to_owned))
}

fn too_deep(span: Range<usize>) -> Complaint {
    let message = format!("the expression is nested more than {MAX_DEPTH} deep");
    Complaint::new("too_deep", message, span).helped(Some("split it into several".to_owned()))
}

/// The comparison that `sign` stands for.
fn test_of(sign: &str) -> Option<Test> {
    [Test::Equal, Test::Unequal, Test::Less, Test::AtMost, Test::Greater, Test::AtLeast]
        .into_iter()
        .find(|test| test.sign() == sign)
}

impl Parser {
    fn next(&mut self) -> Placed {
        let end = self.end;
        let placed = self.tokens.next().unwrap_or((Token::End, end..end));
        self.end = placed.1.end;
        placed
    }

    fn peek(&mut self) -> Option<&Token> {
        self.tokens.peek().map(|(token, _)| token)
    }

    fn start(&mut self) -> usize {
        self.tokens.peek().map_or(self.end, |(_, span)| span.start)
    }

    /// Takes the next token if it is `sign`.
    fn eat(&mut self, sign: &str) -> bool {
        let found = matches!(self.peek(), Some(Token::Sign(next)) if *next == sign);
        if found {
            self.next();
        }
        found
    }

    fn expect(&mut self, sign: &str) -> Result<(), Complaint> {
        if self.eat(sign) {
            return Ok(());
        }
        let (token, span) = self.next();
        let complaint = stray(&token, span);
        let help = complaint.help.clone().unwrap_or_else(|| format!("`{sign}` is missing"));
        Err(complaint.helped(Some(help)))
    }

    /// A tree of `kind` from `start` to here above trees of which the highest has `height`.
    fn grow(&self, kind: Kind, start: usize, height: usize) -> Parsed {
        let span = start..self.end;
        if height >= MAX_DEPTH {
            return Err(too_deep(span));
        }
        Ok(Grown { node: Node { kind, span }, height: height + 1 })
    }

    fn choice(&mut self, depth: usize) -> Parsed {
        let start = self.start();
        if depth >= MAX_DEPTH {
            return Err(too_deep(start..start));
        }
        let condition = self.any(depth)?;
        if !self.eat("?") {
            return Ok(condition);
        }
        let yes = self.any(depth + 1)?;
        self.expect(":")?;
        let no = self.choice(depth + 1)?;
        let height = condition.height.max(yes.height).max(no.height);
        let kind = Kind::Choose(Box::new([condition.node, yes.node, no.node]));
        self.grow(kind, start, height)
    }

    fn any(&mut self, depth: usize) -> Parsed {
        self.joined("||", depth, Self::all, Kind::Any)
    }

    fn all(&mut self, depth: usize) -> Parsed {
        self.joined("&&", depth, Self::relation, Kind::All)
    }

    /// One part, or several joined by `sign`: one flat node, so that long lists stay shallow.
    fn joined(
        &mut self,
        sign: &str,
        depth: usize,
        part: fn(&mut Self, usize) -> Parsed,
        kind: fn(Vec<Node>) -> Kind,
    ) -> Parsed {
        let start = self.start();
        let first = part(self, depth)?;
        let mut height = first.height;
        let mut nodes = vec![first.node];
        while self.eat(sign) {
            let next = part(self, depth + 1)?;
            height = height.max(next.height);
            nodes.push(next.node);
        }
        if nodes.len() > 1 {
            return self.grow(kind(nodes), start, height);
        }
        let node = nodes.pop().unwrap_or(Node { kind: Kind::Broken, span: start..start });
        Ok(Grown { node, height })
    }

    fn relation(&mut self, depth: usize) -> Parsed {
        let start = self.start();
        let mut left = self.sum(depth)?;
        loop {
            let test = match self.peek() {
                Some(Token::Sign(sign)) => test_of(sign),
                Some(Token::Word(word)) if word == "in" => None,
                _ => return Ok(left),
            };
            if test.is_none() && matches!(self.peek(), Some(Token::Sign(_))) {
                return Ok(left);
            }
            self.next();
            let right = self.sum(depth + 1)?;
            let height = left.height.max(right.height);
            let (left_node, right_node) = (left.node, right.node);
            let kind = match test {
                Some(test) => Kind::Compare(Box::new(Compare {
                    test,
                    left: left_node,
                    right: right_node,
                    codes: None,
                })),
                None => Kind::In(Box::new([left_node, right_node])),
            };
            left = self.grow(kind, start, height)?;
        }
    }

    fn sum(&mut self, depth: usize) -> Parsed {
        self.chain(&[Arithmetic::Add, Arithmetic::Subtract], depth, Self::product)
    }

    fn product(&mut self, depth: usize) -> Parsed {
        self.chain(&[Arithmetic::Multiply], depth, Self::signed)
    }

    /// Parts joined by signs of one strength, from the left.
    fn chain(
        &mut self,
        signs: &[Arithmetic],
        depth: usize,
        part: fn(&mut Self, usize) -> Parsed,
    ) -> Parsed {
        let start = self.start();
        let mut left = part(self, depth)?;
        while let Some(sign) = signs.iter().copied().find(|sign| self.eat(sign.sign())) {
            let right = part(self, depth + 1)?;
            let height = left.height.max(right.height);
            let kind = Kind::Arithmetic(sign, Box::new([left.node, right.node]));
            left = self.grow(kind, start, height)?;
        }
        Ok(left)
    }

    fn signed(&mut self, depth: usize) -> Parsed {
        let start = self.start();
        if depth >= MAX_DEPTH {
            return Err(too_deep(start..start));
        }
        let wrap = if self.eat("!") {
            Kind::Not
        } else if self.eat("-") {
            Kind::Negate
        } else {
            return self.primary(depth);
        };
        let inner = self.signed(depth + 1)?;
        self.grow(wrap(Box::new(inner.node)), start, inner.height)
    }

    fn primary(&mut self, depth: usize) -> Parsed {
        let (token, span) = self.next();
        let kind = match token {
            Token::Int(int) => Kind::Int(int),
            Token::Text(text) => Kind::Text(text),
            Token::Sign("(") => {
                let inner = self.choice(depth + 1)?;
                self.expect(")")?;
                return Ok(inner);
            }
            Token::Sign("[") => {
                let (members, height) = self.list("]", depth + 1)?;
                return self.grow(Kind::List(members), span.start, height);
            }
            Token::Word(word) if word != "in" => return self.word(word, span, depth),
            other => return Err(stray(&other, span)),
        };
        self.grow(kind, span.start, 0)
    }

    /// A keyword, a call or a path that begins with `word`.
    fn word(&mut self, word: String, span: Range<usize>, depth: usize) -> Parsed {
        let kind = match word.as_str() {
            "true" => Kind::Bool(true),
            "false" => Kind::Bool(false),
            "unset" => Kind::Unset,
            _ if self.eat("(") => {
                let (arguments, height) = self.list(")", depth + 1)?;
                let kind = self.call(&word, span.clone(), arguments);
                return self.grow(kind, span.start, height);
            }
            _ => self.path(word)?,
        };
        self.grow(kind, span.start, 0)
    }

    fn path(&mut self, mut path: String) -> Result<Kind, Complaint> {
        while self.eat(".") {
            match self.next() {
                (Token::Word(word), _) => {
                    path.push('.');
                    path.push_str(&word);
                }
                (token, span) => return Err(stray(&token, span)),
            }
        }
        if matches!(self.peek(), Some(Token::Sign("("))) {
            let (_, span) = self.next();
            let message = format!("`{path}` is no function");
            let help = "functions come before their argument: size(x), not x.size()".to_owned();
            return Err(Complaint::new("syntax", message, span).helped(Some(help)));
        }
        Ok(Kind::Name(path))
    }

    /// Members up to `close`, and the height of the highest.
    fn list(&mut self, close: &str, depth: usize) -> Result<(Vec<Node>, usize), Complaint> {
        let mut members = Vec::new();
        let mut height = 0;
        if self.eat(close) {
            return Ok((members, height));
        }
        loop {
            let member = self.choice(depth)?;
            height = height.max(member.height);
            members.push(member.node);
            if !self.eat(",") {
                self.expect(close)?;
                return Ok((members, height));
            }
        }
    }

    fn call(&mut self, name: &str, span: Range<usize>, arguments: Vec<Node>) -> Kind {
        let Some(function) = Function::of(name) else {
            let help = did_you_mean(name, Function::names()).or_else(|| {
                Some(format!("there are {}", Function::names().collect::<Vec<_>>().join(", ")))
            });
            let message = format!("there is no function `{name}`");
            self.complaints.push(Complaint::new("unknown_function", message, span).helped(help));
            return Kind::Broken;
        };
        let (wanted, given) = (function.arity(), arguments.len());
        if wanted != given {
            let message = format!("`{name}` takes {wanted} argument(s), not {given}");
            let help = Some(format!("write {}", function.usage()));
            let span = span.start..self.end;
            self.complaints.push(Complaint::new("wrong_arguments", message, span).helped(help));
            return Kind::Broken;
        }
        Kind::Call(function, arguments)
    }
}
