//! Addresses at which people are reached: what can be one, by channel.

use email_address::EmailAddress;

use super::person::Person;
use super::text::Text;

/// A telephone number as channels take it: 3 to 20 digits, perhaps after a plus; spaces and hyphens
/// that people write between them are left out. None: it is none.
#[must_use]
pub fn telephone(text: &str) -> Option<String> {
    let kept: String = text.chars().filter(|c| !matches!(c, ' ' | '-')).collect();
    let digits = kept.strip_prefix('+').unwrap_or(&kept);
    let sound = (3..=20).contains(&digits.len()) && digits.chars().all(|c| c.is_ascii_digit());
    sound.then_some(kept)
}

/// Addresses of a person at which nothing could ever arrive. They are not repeated: they are the
/// person's own.
pub(super) fn faults(person: &Person) -> Vec<Text> {
    let name = &person.name;
    let mut faults = Vec::new();
    if person.email.as_deref().is_some_and(|address| !EmailAddress::is_valid(address)) {
        faults.push(Text::new(
            format!("“{name}”的邮箱（email）不是邮件地址，应形如“name@example.org”；没有的请不填"),
            format!(
                "the `email` of `{name}` is no mail address such as `name@example.org`; leave it out if \
                 there is none"
            ),
        ));
    }
    if person.phone.as_deref().is_some_and(|number| telephone(number).is_none()) {
        faults.push(Text::new(
            format!(
                "“{name}”的电话（phone）不是电话号码，应为3至20位数字，可带“+”、空格和“-”；没有的请不填"
            ),
            format!(
                "the `phone` of `{name}` is no telephone number of 3 to 20 digits, perhaps with `+`, spaces \
                 and hyphens; leave it out if there is none"
            ),
        ));
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrong(email: &str, phone: &str) -> usize {
        let (email, phone) = (Some(email.to_owned()), Some(phone.to_owned()));
        faults(&Person { email, phone, ..Person::default() }).len()
    }

    #[test]
    fn addresses_at_which_nothing_arrives_are_found() {
        for email in ["a@example.org", "first.last+tag@mail.example.invalid", "值班@example.org"]
        {
            assert_eq!(wrong(email, "+86 138-0000-0000"), 0, "{email}");
        }
        for email in
            ["not-an-email", "", "a@", "@example.org", "a b@example.org", "a@b@example.org"]
        {
            assert_eq!(wrong(email, "110"), 1, "{email}");
        }
        for phone in ["abc", "", "12", "+", "138 0000 0000 ext 5", "１３８００００００００"]
        {
            assert_eq!(wrong("a@example.org", phone), 1, "{phone}");
        }
    }
}
