//! Settings as files and the environment say them.

use super::*;
use crate::config::channel::BodyKind;

#[test]
fn the_file_in_the_repository_is_the_printed_one_and_says_the_defaults() {
    let file = include_str!("../../../config/fenliu.toml");
    assert_eq!(file, Settings::template(), "run `fenliu config > config/fenliu.toml`");
    let path = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/config/fenliu.toml"));
    let read = Settings::load(Some(path), std::iter::empty()).unwrap();
    let home = path.parent().unwrap().to_owned();
    assert_eq!(read, Settings { home, ..Settings::load(None, std::iter::empty()).unwrap() });
}

#[test]
fn an_unknown_key_is_refused_with_its_place() {
    let error = toml::from_str::<Settings>("[server]\nlisen = \"x\"\n").unwrap_err();
    assert!(error.to_string().contains("lisen"), "{error}");
    assert!(error.to_string().contains("line 2"), "{error}");
}

#[test]
fn the_environment_stands_over_the_file() {
    let environment = [("FENLIU_SERVER_LISTEN", "0.0.0.0:9"), ("FENLIU_DATABASE_BATCH_MAX", "7")];
    let pairs = environment.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let settings = Settings::load(None, pairs.into_iter()).unwrap();
    assert_eq!(settings.server.listen, "0.0.0.0:9");
    assert_eq!(settings.database.batch_max, 7);
    let environment = [
        ("FENLIU_CHANNEL_SMS_PASSWORD", "00123456"),
        ("FENLIU_CHANNEL_SMS_SYSTEM_ID", "fenliu"),
        ("FENLIU_CHANNEL_SMS_GATEWAY_BODY_KIND", "form"),
        ("FENLIU_CHANNEL_EMAIL_GUARD_PER_SECOND", "3"),
    ];
    let pairs = environment.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let settings = Settings::load(None, pairs.into_iter()).unwrap();
    let sms = &settings.channel.sms;
    assert_eq!(sms.password.reveal().unwrap(), "00123456", "digits, and a text all the same");
    assert_eq!(sms.system_id, "fenliu");
    assert_eq!(sms.gateway.body_kind, BodyKind::Form);
    assert_eq!(settings.channel.email.guard.per_second, 3);
    let shown = format!("{settings:?}") + &toml::to_string(&settings).unwrap();
    assert!(!shown.contains("00123456"), "a secret is shown");
    for name in ["FENLIU_SERVER_LISEN", "FENLIU_HOME", "FENLIU_SHOP_SIGN"] {
        let wrong = [(name.to_owned(), "x".to_owned())];
        let error = Settings::load(None, wrong.into_iter()).unwrap_err().to_string();
        assert!(error.contains(name), "the message names the variable: {error}");
    }
}

#[test]
fn founding_files_are_looked_for_beside_the_settings_file() {
    let path = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/config/fenliu.toml"));
    let settings = Settings::load(Some(path), std::iter::empty()).unwrap();
    let Founding { jurisdiction, calendar, workflows, .. } = &settings.founding;
    for path in [jurisdiction, calendar, workflows] {
        assert!(settings.beside(path).exists(), "{}", settings.beside(path).display());
    }
    let away = Path::new("/elsewhere/who.yaml");
    assert_eq!(settings.beside(away), away);
}
