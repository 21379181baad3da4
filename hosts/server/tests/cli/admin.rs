//! `portcullis admin`: users and passwords on the machine itself.

use crate::desk::Desk;

#[test]
fn a_user_is_created_and_gets_another_password() {
    let desk = Desk::new();
    let admin = |arguments: &[&str], input: &str| {
        let arguments = [&["admin", "--data-dir", "data"], arguments].concat();
        desk.run(&arguments, input)
    };
    let create = ["create-user", "alice", "--role", "admin", "--email", "alice@example.org"];
    let out = admin(&create, "").expect(0).out;
    let password = out.strip_prefix("password: ").unwrap().trim_end();
    assert_eq!(password.len(), 43);
    let again = admin(&create, "").expect(1);
    assert_eq!((again.out.as_str(), again.err.as_str()), ("", "portcullis: user is taken\n"));
    let other = admin(&["create-user", "bob", "--email", "ALICE@example.org"], "").expect(1);
    assert_eq!(other.err, "portcullis: email is taken\n");
    assert_eq!(admin(&["reset-password", "alice", "--password-stdin"], "Iequ4geiEWQw\n").expect(0).out, "");
    assert!(admin(&["reset-password", "alice", "--without-otp"], "").expect(0).out.starts_with("password: "));
    let weak = admin(&["reset-password", "alice", "--password-stdin"], "alice123\n").expect(1);
    assert_eq!(weak.err, "portcullis: the password is too short, or easy to guess\n");
    assert_eq!(admin(&["reset-password", "nobody"], "").expect(1).err, "portcullis: there is no user `nobody`\n");
    admin(&["create-user", "a b"], "").expect(1);
    admin(&["create-user"], "").expect(2);
}
