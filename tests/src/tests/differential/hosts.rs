//! The same for whatever hosts the core.

use portcullis_runtime::{Reason, Target};

use super::{check_file, compare_random};
use crate::cases::{self, Case, File};
use crate::engines::Engine as _;
use crate::engines::proxied::Kind;
use crate::engines::{Cli, Component, EnvoyFilter, Filter, Module, Proxied, portcullis};
use crate::generate::Wire;

#[test]
fn the_component_agrees_with_the_oracle() {
    compare_random(vec![Box::new(Component::new().unwrap())], Wire::Any, 4_000, 50);
}

#[test]
fn the_core_module_agrees_with_the_oracle() {
    compare_random(vec![Box::new(Module::start().unwrap())], Wire::Any, 4_000, 50);
}

#[test]
fn a_hundred_thousand_decisions_of_the_command_line_agree_with_the_oracle() {
    let binary = portcullis().unwrap();
    let cli = Cli::new(binary, "component").unwrap();
    compare_random(vec![Box::new(cli)], Wire::Json, 50, 2_000);
}

#[test]
fn the_command_line_with_the_native_engine_agrees_too() {
    let binary = portcullis().unwrap();
    let cli = Cli::new(binary, "native").unwrap();
    compare_random(vec![Box::new(cli)], Wire::Json, 10, 1_000);
}

#[test]
fn the_filter_under_the_test_host_agrees_with_the_oracle() {
    compare_random(vec![Box::new(Filter::start().unwrap())], Wire::Proxy, 400, 100);
}

#[test]
fn two_thousand_requests_through_envoy_agree_with_the_oracle() {
    let envoy = EnvoyFilter::start().unwrap();
    compare_random(vec![Box::new(envoy)], Wire::Http, 20, 100);
}

#[test]
fn case_files_hold_in_the_component_in_the_core_module_and_for_the_command_line() {
    let binary = portcullis().unwrap();
    let mut cli = Cli::new(binary, "component").unwrap();
    let mut component = Component::new().unwrap();
    let mut module = Module::start().unwrap();
    for file in &cases::all().unwrap() {
        let cases: Vec<&Case> = file.cases.iter().collect();
        check_file(&mut component, file, &cases);
        check_file(&mut module, file, &cases);
        // Neither a command nor a route of the server says who is revoked.
        if file.revocations.is_empty() {
            check_file(&mut cli, file, &cases);
        }
    }
}

#[test]
fn case_files_hold_for_the_filter_under_the_test_host() {
    let mut filter = Filter::start().unwrap();
    let files = cases::all().unwrap();
    for file in &files {
        check_file(&mut filter, file, &file.for_filter());
    }
    let count = |of: fn(&File) -> usize| files.iter().map(of).sum::<usize>();
    let (all, asked) = (count(|file| file.cases.len()), count(|file| file.for_filter().len()));
    assert!(asked * 4 > all * 3, "only {asked} of {all} cases can be asked");
}

#[test]
fn case_files_hold_in_envoy() {
    let mut envoy = EnvoyFilter::start().unwrap();
    for file in cases::all().unwrap().iter().filter(|file| file.revocations.is_empty()) {
        let cases: Vec<&Case> = file.cases.iter().filter(|case| case.is_sendable()).collect();
        check_file(&mut envoy, file, &cases);
    }
}

/// A proxy that only asks cannot change the path, so one that is not canonical is refused, whatever the policy says. What
/// is malformed nginx may refuse by itself, with its own status, and so a host with an empty label.
fn check_proxied(kind: Kind) {
    let mut proxied = Proxied::start(kind).unwrap();
    for file in cases::all().unwrap().iter().filter(|file| file.revocations.is_empty()) {
        let (canonical, other): (Vec<&Case>, Vec<&Case>) = file
            .cases
            .iter()
            .filter(|case| case.is_sendable())
            .partition(|case| is_taken(kind, case) || is_refused_by_policy(kind, case));
        check_file(&mut proxied, file, &canonical);
        for case in other {
            let decision = proxied.decide(std::slice::from_ref(&case.request)).unwrap().remove(0);
            assert_eq!(decision.reason, Reason::MalformedRequest, "{}", case.note);
        }
    }
}

fn is_taken(kind: Kind, case: &Case) -> bool {
    let Target::Http { host, .. } = &case.request.target else { return false };
    let has_empty_label = host.as_ref().is_some_and(|host| host.contains(".."));
    case.is_canonical() && !(kind == Kind::Nginx && has_empty_label)
}

fn is_refused_by_policy(kind: Kind, case: &Case) -> bool {
    kind == Kind::Envoy && case.expected.reason == Reason::MalformedRequest
}

#[test]
fn case_files_hold_for_envoy_that_asks_the_server() {
    check_proxied(Kind::Envoy);
}

#[test]
fn case_files_hold_for_nginx_that_asks_the_server() {
    check_proxied(Kind::Nginx);
}
