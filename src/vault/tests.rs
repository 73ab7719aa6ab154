use super::*;
use crate::domain::event::{hex, unhex};

const PHONE: Place<'_> = Place { table: "personal", row: 7, column: "caller_phone" };

fn counting(bytes: &mut [u8]) {
    use std::sync::atomic::{AtomicU8, Ordering};
    static NEXT: AtomicU8 = AtomicU8::new(0);
    bytes.fill(NEXT.fetch_add(1, Ordering::Relaxed));
}

fn line(id: &str, algorithm: Algorithm, byte: u8) -> String {
    let key = vec![byte; algorithm.key_bytes()];
    KeyLine { id: id.to_owned(), algorithm, key }.text()
}

fn vault(text: &str) -> Vault {
    Vault::read(text, counting).unwrap()
}

#[test]
fn what_is_locked_tells_nothing_and_comes_back_by_either_algorithm() {
    for algorithm in [Algorithm::Aes256Gcm, Algorithm::Sm4Gcm] {
        let vault = vault(&line("a", algorithm, 1));
        for value in ["", "13800001234", "葛城街道某小区3栋"] {
            let kept = vault.lock(PHONE, value.as_bytes()).unwrap();
            assert!(kept.starts_with("lock1.a."), "{kept}");
            assert!(!kept.contains("138") && !kept.contains("葛城"));
            assert_ne!(kept, vault.lock(PHONE, value.as_bytes()).unwrap(), "no two are alike");
            assert_eq!(vault.open(PHONE, &kept).unwrap(), value.as_bytes());
        }
    }
}

#[test]
fn a_value_is_good_in_its_own_place_only_and_only_unaltered() {
    let vault = vault(&line("a", Algorithm::Aes256Gcm, 1));
    let kept = vault.lock(PHONE, b"13800001234").unwrap();
    let others = [
        Place { row: 8, ..PHONE },
        Place { column: "caller_name", ..PHONE },
        Place { table: "account", ..PHONE },
    ];
    for place in others {
        assert!(matches!(vault.open(place, &kept), Err(Error::Altered { .. })), "{place}");
    }
    let altered = |at: usize| {
        let mut bytes = kept.clone().into_bytes();
        bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
        String::from_utf8(bytes).unwrap()
    };
    for altered in [altered(10), altered(40), "lock1.a.".to_owned(), "lock1.a.%".to_owned()] {
        assert!(matches!(vault.open(PHONE, &altered), Err(Error::Altered { .. })), "{altered}");
    }
    let other = self::vault(&line("a", Algorithm::Aes256Gcm, 2));
    assert!(matches!(other.open(PHONE, &kept), Err(Error::Altered { .. })), "another key");
    let gone = self::vault(&line("b", Algorithm::Aes256Gcm, 1));
    let said = gone.open(PHONE, &kept).unwrap_err().to_string();
    assert_eq!(
        said,
        "personal 7, caller_phone is locked by the key `a`, which is not among the keys"
    );
}

#[test]
fn the_last_key_locks_and_those_before_it_still_open() {
    let (old, new) = (line("old", Algorithm::Aes256Gcm, 1), line("new", Algorithm::Sm4Gcm, 2));
    let kept = vault(&old).lock(PHONE, b"13800001234").unwrap();
    let both = vault(&format!("# keys\n{old}\n{new}"));
    assert_eq!((both.present(), both.is_present(&kept)), ("new", false));
    assert_eq!(both.open(PHONE, &kept).unwrap(), b"13800001234");
    let anew = both.lock(PHONE, b"13800001234").unwrap();
    assert!(both.is_present(&anew) && key_of(&anew) == Some("new"));
    // In one line, as an environment variable has them.
    let inline = vault(&format!("{};{}", old.trim(), new.trim()));
    assert_eq!(inline.open(PHONE, &anew).unwrap(), b"13800001234");
    assert_eq!(both.open(PHONE, "never locked").unwrap(), b"never locked");
}

#[test]
fn keys_that_make_no_sense_are_named_by_line_and_never_shown() {
    let good = line("a", Algorithm::Aes256Gcm, 0xab);
    for (text, said) in [
        (format!("{good}{good}"), "line 2: this name stands there twice"),
        (good.replace("aes-256-gcm", "rot13"), "line 1: the algorithm is"),
        (good.replacen("abab", "", 1), "line 1: the key has 64 hexadecimal digits"),
        (good.replace("a aes", "A_ aes"), "line 1: a key's name has"),
        (format!("\n#\n{}", good.replacen(' ', "", 1)), "line 3: a key is written as"),
    ] {
        let error = Vault::read(&text, counting).unwrap_err().to_string();
        assert!(error.starts_with(said), "{error}");
        assert!(!error.contains("abab"), "{error}");
    }
    assert_eq!(Vault::read("# none\n", counting).unwrap_err(), Error::None);
    let shown = format!("{:?} {:?}", vault(&good), KeyLine::read_all(&good).unwrap());
    assert_eq!(shown, "{\"a\"} [a aes-256-gcm]");
}

/// RFC 8998, appendix A.1.
#[test]
fn sm4_in_this_mode_gives_the_values_of_the_standard() {
    let bytes = |text: &str| unhex(text).unwrap();
    let line = KeyLine {
        id: "a".to_owned(),
        algorithm: Algorithm::Sm4Gcm,
        key: bytes("0123456789abcdeffedcba9876543210"),
    };
    let nonce: [u8; NONCE] = bytes("00001234567800000000abcd").try_into().unwrap();
    let eight = |letter: &str| letter.repeat(16);
    let plain: String =
        ["a", "b", "c", "d", "e", "f", "e", "a"].iter().map(|one| eight(one)).collect();
    let aad = bytes("feedfacedeadbeeffeedfacedeadbeefabaddad2");
    let locked = Cipher::of(&line).unwrap().lock(&nonce, &bytes(&plain), &aad).unwrap();
    assert_eq!(
        hex(&locked),
        "17f399f08c67d5ee19d0dc9969c4bb7d5fd46fd3756489069157b282bb200735\
         d82710ca5c22f0ccfa7cbf93d496ac15a56834cbcf98c397b4024a2691233b8d\
         83de3541e4c2b58177e065a9bf7b62ec"
    );
}

/// The specification of the mode itself, test case 14.
#[test]
fn aes_in_this_mode_gives_the_values_of_the_standard() {
    let line = KeyLine { id: "a".to_owned(), algorithm: Algorithm::Aes256Gcm, key: vec![0; 32] };
    let locked = Cipher::of(&line).unwrap().lock(&[0; NONCE], &[0; 16], &[]).unwrap();
    assert_eq!(hex(&locked), "cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919");
}
