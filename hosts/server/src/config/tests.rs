use std::ffi::OsString;
use std::path::Path;

use super::*;

fn variables(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

#[track_caller]
fn refused(sources: Sources, expected: &str) {
    let message = Config::load(sources).unwrap_err().to_string();
    assert!(message.starts_with(expected), "{message}");
    assert!(!message.contains('\n'), "{message}");
}

fn flag_database(url: &str) -> Sources {
    Sources { flags: Flags { database: Some(url.to_owned()), ..Flags::default() }, ..Sources::default() }
}

#[test]
fn without_settings_everything_has_a_default() {
    let config = Config::load(Sources::default()).unwrap();
    assert_eq!(config.listen, "127.0.0.1:8080".parse().unwrap());
    assert_eq!(config.data_dir, Path::new("./portcullis-data"));
    assert_eq!(config.database, Location::File("./portcullis-data/portcullis.db".into()));
}

#[test]
fn a_flag_beats_the_environment_and_the_environment_beats_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("portcullis.toml");
    std::fs::write(&file, "listen = '127.0.0.1:1'\ndata_dir = '/file'\ndatabase = 'sqlite:///file.db'").unwrap();
    let sources = Sources {
        file: Some(file),
        environment: variables(&[
            ("PORTCULLIS_LISTEN", "127.0.0.1:2"),
            ("PORTCULLIS_DATA_DIR", "/env"),
            ("PATH", "/bin"),
        ]),
        flags: Flags { listen: Some("127.0.0.1:3".to_owned()), ..Flags::default() },
    };
    let config = Config::load(sources).unwrap();
    assert_eq!(config.listen, "127.0.0.1:3".parse().unwrap());
    assert_eq!(config.data_dir, Path::new("/env"));
    assert_eq!(config.database, Location::File("/file.db".into()));
}

#[test]
fn an_unknown_key_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("portcullis.toml");
    std::fs::write(&file, "lisden = '127.0.0.1:1'").unwrap();
    refused(Sources { file: Some(file), ..Sources::default() }, "unknown setting `lisden`, known are listen");
    let sources = Sources { environment: variables(&[("PORTCULLIS_DATADIR", "/x")]), ..Sources::default() };
    refused(sources, "unknown setting `datadir`");
}

#[test]
fn wrong_values_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("portcullis.toml");
    std::fs::write(&file, "listen = 8080").unwrap();
    let expected = format!("`listen` is the signed int `8080`, it must be a string (file {})", file.display());
    refused(Sources { file: Some(file.clone()), ..Sources::default() }, &expected);
    std::fs::write(&file, "listen = ").unwrap();
    refused(
        Sources { file: Some(file.clone()), ..Sources::default() },
        "the configuration is no TOML: TOML parse error at line 1",
    );
    std::fs::write(&file, "database = 'postgres://u:secret@db/x").unwrap();
    let message = Config::load(Sources { file: Some(file), ..Sources::default() }).unwrap_err().to_string();
    assert!(!message.contains("secret"), "{message}");
    refused(Sources { file: Some("/no/such/file".into()), ..Sources::default() }, "cannot read the configuration");
    let flags = Flags { listen: Some("localhost".to_owned()), ..Flags::default() };
    refused(Sources { flags, ..Sources::default() }, "`listen` is `localhost`");
}

#[test]
fn a_setting_that_is_not_utf8_is_not_ignored() {
    use std::os::unix::ffi::OsStringExt as _;
    let given = |name: &str| environment([(name.into(), OsString::from_vec(vec![0xff]))].into_iter());
    assert_eq!(given("LANG").unwrap(), BTreeMap::new());
    let message = given("PORTCULLIS_DATA_DIR").unwrap_err().to_string();
    assert_eq!(message, "the environment variable `PORTCULLIS_DATA_DIR` is not UTF-8");
}

#[test]
fn the_environment_can_say_it_too() {
    let environment = variables(&[
        ("PORTCULLIS_TOKEN_LIFETIME_S", "600"),
        ("PORTCULLIS_DECISION_LOG_AGE_S", "60"),
        ("PORTCULLIS_TRUSTED_PROXIES", "127.0.0.1, 10.0.0.0/8,::1"),
        ("PORTCULLIS_OBJECT_STORE", "file:///x"),
        ("PORTCULLIS_COUNTRY_HEADER", "X-Country"),
        ("PORTCULLIS_PADLOCK__OPEN", "true"),
        ("PORTCULLIS_BARONG__TOKENS__AUDIENCES", "a, b"),
        ("PORTCULLIS_BARONG__TOKENS__LIFETIME_S", "30"),
    ]);
    let config = Config::load(Sources { environment, ..Sources::default() }).unwrap();
    let trusted: Vec<String> = config.proxies.trusted.iter().map(ToString::to_string).collect();
    assert_eq!(trusted, ["127.0.0.1/32", "10.0.0.0/8", "::1/128"]);
    assert_eq!((config.token_lifetime_s, config.object_store.as_deref()), (600, Some("file:///x")));
    assert_eq!(config.retention, Retention { age_s: 60, ..Retention::default() });
    assert_eq!(config.proxies.country_header.as_deref(), Some("x-country"));
    assert!(config.padlock.open);
    assert_eq!(
        (config.barong.tokens.audiences, config.barong.tokens.lifetime_s),
        (vec!["a".to_owned(), "b".to_owned()], 30)
    );
}

#[test]
fn issuers_have_their_keys_in_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let (file, keys) = (folder.path().join("portcullis.toml"), folder.path().join("keys.json"));
    let text = format!(
        "trusted_proxies = ['::1']\nclaims.roles = 'groups'\n[[issuers]]\nissuer = 'https://a'\n\
         audience = 'us'\njwks_file = '{}'\n",
        keys.display()
    );
    std::fs::write(&file, text).unwrap();
    let load = || Config::load(Sources { file: Some(file.clone()), ..Sources::default() });
    assert!(load().unwrap_err().to_string().starts_with("cannot read the configuration"));
    std::fs::write(&keys, r#"{"keys": []}"#).unwrap();
    assert!(load().unwrap_err().to_string().starts_with("the keys of the issuer `https://a`"));
    let x = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
    std::fs::write(&keys, format!(r#"{{"keys": [{{"kty": "OKP", "crv": "Ed25519", "x": "{x}"}}]}}"#)).unwrap();
    let issuers = load().unwrap().proxies.issuers;
    assert_eq!((issuers.issuers[0].name.as_str(), issuers.issuers[0].keys.len()), ("https://a", 1));
    assert_eq!((issuers.claims.roles.as_str(), issuers.claims.issued_at.as_str()), ("groups", "iat"));
}

#[test]
fn padlock_is_closed_and_has_the_names_of_the_original() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("portcullis.toml");
    let load = |text: &str| {
        std::fs::write(&file, text).unwrap();
        Config::load(Sources { file: Some(file.clone()), ..Sources::default() }).map(|config| config.padlock)
    };
    let settings = load("").unwrap();
    assert_eq!(settings, Padlock::default());
    assert!(!settings.open && !settings.auto_add && settings.bypass.is_none());
    let text =
        "[padlock]\nopen = true\nheaders.user_id = 'X-User'\nclaims.email = 'mail'\nbypass.methods = ['options']";
    let settings = load(text).unwrap();
    assert!(settings.open && settings.bypass.is_some());
    assert_eq!((settings.headers.user_id.as_str(), settings.headers.email.as_str()), ("x-user", "x-caller-email"));
    assert_eq!((settings.claims.user_id.as_str(), settings.claims.email.as_deref()), ("sub", Some("mail")));
    for (text, expected) in [
        ("[padlock]\nheaders.user_id = 'a b'", "`padlock.headers.user_id` is `a b`"),
        ("[padlock]\nbypass.paths = ['(']", "`padlock.bypass` cannot be used"),
        ("[padlock]\nopenn = true", "unknown setting `padlock.openn`, known are open,"),
    ] {
        let message = load(text).unwrap_err().to_string();
        assert!(message.starts_with(expected), "{message}");
    }
}

#[test]
fn identity_is_configured_by_file_and_environment() {
    let load = |pairs: &[(&str, &str)]| {
        Config::load(Sources { environment: variables(pairs), ..Sources::default() }).map(|config| config.identity)
    };
    let settings = load(&[]).unwrap();
    assert_eq!(settings.keys_file, Path::new("./portcullis-data/vault.keys"));
    assert_eq!((settings.algorithm.name(), settings.sessions.idle_s), ("EdDSA", 1800));
    let settings = load(&[
        ("PORTCULLIS_IDENTITY__TOKEN_ALGORITHM", "RS256"),
        ("PORTCULLIS_IDENTITY__SESSION_IDLE_S", "60"),
        ("PORTCULLIS_IDENTITY__MAIL_FOLDER", "/var/mail/portcullis"),
    ]);
    let settings = settings.unwrap();
    assert_eq!((settings.algorithm.name(), settings.sessions.idle_s), ("RS256", 60));
    assert_eq!(settings.mail_folder, Path::new("/var/mail/portcullis"));
    for (name, value, expected) in [
        ("TOKEN_ALGORITHM", "HS256", "`identity.token_algorithm` is `HS256`"),
        ("PASSWORD_MEMORY_KIB", "4", "`identity.password_memory_kib` is 4, it must be 8 to 4194304"),
        ("SESSION_IDLE_S", "0", "`identity.session_idle_s` is 0"),
        ("MAIL_FROM", "nobody", "`identity.mail_from` is `nobody`"),
        ("SESSION", "1", "unknown setting `identity.session`"),
        ("SESSION_IDLE_S", "-1", "`identity.session_idle_s` is `-1`, it must be a whole number, 0 or more"),
    ] {
        let message = load(&[(&format!("PORTCULLIS_IDENTITY__{name}"), value)]).unwrap_err().to_string();
        assert!(message.starts_with(expected), "{message}");
    }
}

#[test]
fn wrong_settings_of_proxies_are_named() {
    for (name, value, expected) in [
        ("PORTCULLIS_TRUSTED_PROXIES", "127.0.0.1, x", "`trusted_proxies` has `x`"),
        ("PORTCULLIS_COUNTRY_HEADER", "a b", "`country_header` is `a b`"),
        (
            "PORTCULLIS_TOKEN_LIFETIME_S",
            "a day",
            "`token_lifetime_s` is `a day`, it must be a whole number, 0 or more (environment PORTCULLIS_TOKEN_LIFETIME_S)",
        ),
    ] {
        let message = Config::load(Sources { environment: variables(&[(name, value)]), ..Sources::default() });
        let message = message.unwrap_err().to_string();
        assert!(message.contains(expected), "{message}");
    }
}

#[test]
fn databases_are_sqlite_files_and_postgresql() {
    for url in ["mysql://u:secret@db/x", "sqlite://", "sqlite::memory:", "sqlite://:memory:", "x.db"] {
        refused(flag_database(url), "`database` is a URL that this version does not support");
    }
    let config = Config::load(flag_database("sqlite://data/x.db")).unwrap();
    assert_eq!(config.database, Location::File("data/x.db".into()));
    let url = "postgres://u:secret@db/x?sslmode=require";
    let config = Config::load(flag_database(url)).unwrap();
    assert_eq!(config.database, Location::Postgres(url.to_owned()));
    assert_eq!(config.database.to_string(), "postgres://db/x", "shown without credentials");
}

#[test]
fn a_wrong_value_says_where_it_comes_from() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("gate.toml");
    std::fs::write(&file, "listen = 'here'\n[barong]\nuid_prefix = 'x'").unwrap();
    let load = |environment: &[(&str, &str)], flags: Flags| {
        let sources = Sources { file: Some(file.clone()), environment: variables(environment), flags };
        Config::load(sources).unwrap_err().to_string()
    };
    let flag = |listen: &str| Flags { listen: Some(listen.to_owned()), ..Flags::default() };
    for (message, ending) in [
        (load(&[], Flags::default()), format!("(file {})", file.display())),
        (load(&[("PORTCULLIS_LISTEN", "there")], Flags::default()), "(environment PORTCULLIS_LISTEN)".to_owned()),
        (load(&[("PORTCULLIS_LISTEN", "there")], flag("everywhere")), "(flag --listen)".to_owned()),
        (load(&[("RUST_LOG", "=x=")], flag("[::]:0")), "(environment RUST_LOG)".to_owned()),
        (load(&[], flag("[::]:0")), format!("`barong.uid_prefix` is not 2 to 6 letters (file {})", file.display())),
    ] {
        assert!(message.ends_with(&ending), "{message}");
    }
}

#[test]
fn logs_and_traces_are_configured_by_their_usual_names_too() {
    let load = |pairs: &[(&str, &str)]| {
        Config::load(Sources { environment: variables(pairs), ..Sources::default() }).map(|config| config.observe)
    };
    let settings = load(&[]).unwrap();
    assert_eq!((settings.logs.filter.as_str(), settings.logs.format.name(), settings.traces), ("info", "text", None));
    let settings = load(&[
        ("RUST_LOG", "debug"),
        ("PORTCULLIS_LOG", "warn"),
        ("PORTCULLIS_LOG_FORMAT", "json"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4318"),
        ("OTEL_SERVICE_NAME", "gate-1"),
    ]);
    let settings = settings.unwrap();
    assert_eq!((settings.logs.filter.as_str(), settings.logs.format.name()), ("warn", "json"));
    let traces = settings.traces.unwrap();
    assert_eq!(traces.collector.to_string(), "http://127.0.0.1:4318/v1/traces");
    assert_eq!(traces.service_name, "gate-1");
    for (name, value, expected) in [
        ("PORTCULLIS_LOG_FORMAT", "xml", "`log_format` is `xml`: not text or json"),
        ("PORTCULLIS_OTLP_ENDPOINT", "https://collector", "`otlp_endpoint` must begin with http://"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://u:p@collector", "`otlp_endpoint` has credentials"),
    ] {
        let message = load(&[(name, value)]).unwrap_err().to_string();
        assert!(message.starts_with(expected) && message.ends_with(&format!("(environment {name})")), "{message}");
    }
}
