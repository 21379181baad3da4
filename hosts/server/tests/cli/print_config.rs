//! `portcullis serve --print-config`: what the server would run with, and why.

use crate::desk::{Desk, Ran};

fn print(desk: &Desk, arguments: &[&str], variables: &[(&str, &str)]) -> Ran {
    let mut command = desk.command(&[&["serve", "--print-config"], arguments].concat());
    Desk::finish(command.envs(variables.iter().copied()), "")
}

const FILE: &str = "
log = 'warn'
database = 'postgres://gate:se@cret@db.example/x?sslmode=require'
trusted_proxies = ['10.0.0.0/8', '::1']

[identity]
session_idle_s = 60

[padlock]
headers.user_id = 'X-User'
";

#[test]
fn every_setting_is_there_with_where_it_comes_from() {
    let desk = Desk::new();
    desk.write("gate.toml", FILE);
    let variables =
        [("PORTCULLIS_TOKEN_LIFETIME_S", "600"), ("PORTCULLIS_PADLOCK__OPEN", "true"), ("RUST_LOG", "debug")];
    let printed = print(&desk, &["--config", "gate.toml", "--listen", "127.0.0.1:9"], &variables).expect(0).out;
    for line in [
        "listen = \"127.0.0.1:9\" # flag --listen",
        "log = \"debug\" # environment RUST_LOG",
        "log_format = \"text\" # default",
        "database = \"postgres://gate:***@db.example/x?sslmode=require\" # file gate.toml, password masked",
        "token_lifetime_s = 600 # environment PORTCULLIS_TOKEN_LIFETIME_S",
        "trusted_proxies = [\"10.0.0.0/8\", \"::1\"] # file gate.toml",
        "# object_store is not set",
        "[identity]",
        "keys_file = \"./portcullis-data/vault.keys\" # default",
        "session_idle_s = 60 # file gate.toml",
        "[padlock]",
        "open = true # environment PORTCULLIS_PADLOCK__OPEN",
        "[padlock.headers]",
        "user_id = \"X-User\" # file gate.toml",
        "[barong.tokens]",
        "lifetime_s = 600 # default",
    ] {
        assert!(printed.lines().any(|one| one == line), "no {line} in\n{printed}");
    }
    assert!(!printed.contains("cret"), "{printed}");
    assert_eq!(desk.files(), ["gate.toml"], "nothing is started");
}

#[test]
fn it_can_be_read_back() {
    let desk = Desk::new();
    let printed = print(&desk, &[], &[("PORTCULLIS_DATA_DIR", "./my \"data\"")]).expect(0).out;
    desk.write("printed.toml", &printed);
    let again = print(&desk, &["--config", "printed.toml"], &[]).expect(0).out;
    let values = |text: &str| text.lines().map(|line| line.split(" # ").next().unwrap().to_owned()).collect::<Vec<_>>();
    assert_eq!(values(&again), values(&printed));
    assert!(again.contains("data_dir = \"./my \\\"data\\\"\" # file printed.toml"), "{again}");
}

#[test]
fn wrong_settings_are_named_instead() {
    let desk = Desk::new();
    desk.write("wrong.toml", "[identity]\nsession_idle = 5");
    let ran = print(&desk, &["--config", "wrong.toml"], &[]).expect(2);
    assert!(
        ran.err.starts_with("portcullis: unknown setting `identity.session_idle`, known are keys_file, "),
        "{}",
        ran.err
    );
    assert!(ran.err.trim_end().ends_with("(file wrong.toml)"), "{}", ran.err);
    let ran = print(&desk, &[], &[("PORTCULLIS_IDENTITY__SESSION_IDLE_S", "soon")]).expect(2);
    let expected = "portcullis: `identity.session_idle_s` is `soon`, it must be a whole number, 0 or more \
                    (environment PORTCULLIS_IDENTITY__SESSION_IDLE_S)\n";
    assert_eq!((ran.err.as_str(), ran.out.as_str()), (expected, ""));
}
