//! The same for whatever hosts the core.

use super::{check_file, compare_random};
use crate::cases::{self, Case, File};
use crate::engines::{Cli, Component, EnvoyFilter, Filter, Module, portcullis};
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
