//! What a diagnostic looks like.

use super::{Source, Style};
use crate::{Options, compile};

/// The diagnostics of `text`, rendered.
fn rendered(text: &str) -> String {
    let diagnostics = match compile(text, &Options::default()) {
        Ok(compiled) => compiled.warnings,
        Err(diagnostics) => diagnostics,
    };
    let source = Source::new("shop.yaml", text);
    diagnostics.iter().map(|one| format!("{}\n", source.render(one, Style::Plain))).collect()
}

#[track_caller]
fn check(text: &str, expected: &str) {
    assert_eq!(rendered(text), expected);
}

#[test]
fn shows_the_line_a_caret_and_the_help() {
    check(
        "version: 1\nrulez: []\nroles: {a: {inherits: [1]}}\n",
        "shop.yaml:2:1: error: `rulez` is not a key of a policy document
  |
2 | rulez: []
  | ^^^^^
  |
  = help: did you mean `rules`?
shop.yaml:3:24: error: expected role names as a text, `1` is not one without quotes
  |
3 | roles: {a: {inherits: [1]}}
  |                        ^
",
    );
}

#[test]
fn tabs_and_wide_characters_do_not_move_the_caret() {
    check(
        "{\"version\": 1,\n\t\"statuses\": {\"東京\": 404},\t\"rulez\": []}",
        "shop.yaml:2:15: error: `東京` is not a reason
  |
2 |     \"statuses\": {\"東京\": 404},    \"rulez\": []}
  |                  ^^^^^^
shop.yaml:2:27: error: `rulez` is not a key of a policy document
  |
2 |     \"statuses\": {\"東京\": 404},    \"rulez\": []}
  |                                   ^^^^^^^
  |
  = help: did you mean `rules`?
",
    );
}

#[test]
fn a_long_line_is_cut_around_the_caret() {
    let names: Vec<String> = (0..500).map(|at| format!("r{at}")).collect();
    let text =
        format!("version: 1\nroles: {{a: {{permissions: [{}, {{}}, {}]}}}}\n", names.join(", "), names.join(", "));
    check(
        &text,
        "shop.yaml:2:2917: error: expected permission names, found a mapping
  |
2 | ...r491, r492, r493, r494, r495, r496, r497, r498, r499, {}, r0, r1, r2, r3, r4, r5, r6, r7, r8, r9, r10, r11, r1...
  |                                                          ^
",
    );
}

#[test]
fn a_place_without_a_line_shows_only_the_first_line() {
    check("", "shop.yaml:1:1: error: document is empty\n");
    check("a: [\n", "shop.yaml:2:1: error: while parsing a node, did not find expected node content\n");
}

#[test]
fn the_end_of_a_text_is_on_its_last_line() {
    check(
        "a: [",
        "shop.yaml:1:5: error: while parsing a node, did not find expected node content
  |
1 | a: [
  |     ^
",
    );
}

#[test]
fn lines_end_as_yaml_ends_them() {
    check(
        "version: 1\r\n# a\rrulez: []\r\n",
        "shop.yaml:3:1: error: `rulez` is not a key of a policy document
  |
3 | rulez: []
  | ^^^^^
  |
  = help: did you mean `rules`?
",
    );
}

#[test]
fn nothing_drives_the_terminal() {
    let shown = rendered("version: 1\nrules: [{effect: \"\\e[31m\", who: {anyone: true}, target: {}}]\n");
    assert!(!shown.contains('\u{1b}'), "{shown}");
    assert!(shown.starts_with("shop.yaml:2:18: error: `\\u{1b}[31m` is not an effect"), "{shown}");
    let text = "version: 1\nrules: [{effect: '\u{7}allow'}]\n";
    assert!(!rendered(text).contains('\u{7}'), "{}", rendered(text));
}

#[test]
fn colours_are_only_for_terminals() {
    let text = "version: 1\nrulez: []\n";
    let diagnostics = compile(text, &Options::default()).unwrap_err();
    let source = Source::new("shop.yaml", text);
    let coloured = source.render(&diagnostics[0], Style::Coloured);
    assert!(coloured.starts_with("shop.yaml:2:1: error: `rulez` is not") && coloured.contains('\u{1b}'), "{coloured}");
    assert!(!source.render(&diagnostics[0], Style::Plain).contains('\u{1b}'));
}
