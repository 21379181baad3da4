//! The calls that a guest can make.

use wasmtime::error::Context;
use wasmtime::{Caller, Linker, Result, ensure};

use super::abi::{self, Pairs, Status, buffer, map};
use super::memory::Guest;
use super::state::{Call, Exchange, Reply, State};

/// Links calls of so many numbers; an error of one is a trap.
macro_rules! link {
    ($linker:expr, $($call:ident($($argument:ident: $type:ty),*);)*) => {
        $($linker.func_wrap("env", stringify!($call), |caller: Caller<'_, State>, $($argument: $type),*| {
            let status = Guest::new(caller).and_then(|guest| $call(guest, $($argument),*));
            Result::<u32>::Ok(status.context(stringify!($call))? as u32)
        })?;)*
    };
}

pub(super) fn link(linker: &mut Linker<State>) -> Result<()> {
    link! { linker,
        proxy_log(level: u32, at: u32, size: u32);
        proxy_get_current_time_nanoseconds(return_time: u32);
        proxy_set_tick_period_milliseconds(period: u32);
        proxy_set_effective_context(context: u32);
        proxy_get_buffer_bytes(kind: u32, start: u32, most: u32, return_at: u32, return_size: u32);
        proxy_set_buffer_bytes(_kind: u32, _start: u32, _most: u32, _at: u32, _size: u32);
        proxy_get_header_map_pairs(kind: u32, return_at: u32, return_size: u32);
        proxy_replace_header_map_value(kind: u32, name: u32, name_size: u32, value: u32, value_size: u32);
        proxy_remove_header_map_value(kind: u32, name: u32, name_size: u32);
        proxy_get_property(path: u32, path_size: u32, return_at: u32, return_size: u32);
        proxy_set_property(path: u32, path_size: u32, value: u32, value_size: u32);
        proxy_send_local_response(
            status: u32, _details: u32, _details_size: u32, body: u32, body_size: u32, headers: u32, headers_size: u32,
            _grpc_status: i32
        );
        proxy_http_call(
            cluster: u32, cluster_size: u32, headers: u32, headers_size: u32, _body: u32, body_size: u32,
            _trailers: u32, _trailers_size: u32, timeout: u32, return_token: u32
        );
        proxy_get_shared_data(key: u32, key_size: u32, return_at: u32, return_size: u32, return_cas: u32);
        proxy_set_shared_data(key: u32, key_size: u32, value: u32, value_size: u32, cas: u32);
        proxy_call_foreign_function(
            _name: u32, _name_size: u32, _argument: u32, _argument_size: u32, _return_at: u32, _return_size: u32
        );
        proxy_define_metric(_kind: u32, name: u32, name_size: u32, return_id: u32);
        proxy_increment_metric(id: u32, offset: i64);
        proxy_record_metric(id: u32, value: u64);
    }
    Ok(())
}

// === the proxy itself ===

fn proxy_log(mut guest: Guest<'_>, _level: u32, at: u32, size: u32) -> Result<Status> {
    let line = guest.text(at, size)?;
    guest.state().log.push(line);
    Ok(Status::Ok)
}

fn proxy_get_current_time_nanoseconds(mut guest: Guest<'_>, return_time: u32) -> Result<Status> {
    let now = u64::try_from(guest.state().now.as_nanos())?;
    guest.set_u64(return_time, now)?;
    Ok(Status::Ok)
}

fn proxy_set_tick_period_milliseconds(mut guest: Guest<'_>, period: u32) -> Result<Status> {
    guest.state().tick_period = period;
    Ok(Status::Ok)
}

fn proxy_set_effective_context(_guest: Guest<'_>, context: u32) -> Result<Status> {
    Ok(if context == super::callbacks::ROOT { Status::Ok } else { Status::BadArgument })
}

fn proxy_get_buffer_bytes(
    mut guest: Guest<'_>,
    kind: u32,
    start: u32,
    most: u32,
    return_at: u32,
    return_size: u32,
) -> Result<Status> {
    let state = guest.state();
    let bytes = match kind {
        buffer::PLUGIN_CONFIGURATION => Some(state.configuration.clone()),
        buffer::CALL_RESPONSE_BODY => state.answer.as_ref().map(|answer| answer.body.clone()),
        _ => None,
    };
    let Some(bytes) = bytes else { return Ok(Status::NotFound) };
    let Some(bytes) = bytes.get(start as usize..) else { return Ok(Status::BadArgument) };
    guest.give(&bytes[..bytes.len().min(most as usize)], return_at, return_size)?;
    Ok(Status::Ok)
}

/// Requests of this host have no body.
fn proxy_set_buffer_bytes(
    _guest: Guest<'_>,
    _kind: u32,
    _start: u32,
    _most: u32,
    _at: u32,
    _size: u32,
) -> Result<Status> {
    Ok(Status::NotFound)
}

// === headers and properties ===

fn headers(state: &mut State, kind: u32) -> Option<&mut Pairs> {
    match kind {
        map::REQUEST_HEADERS => state.exchange.as_mut().map(|exchange| &mut exchange.headers),
        map::CALL_RESPONSE_HEADERS => state.answer.as_mut().map(|answer| &mut answer.headers),
        _ => None,
    }
}

fn proxy_get_header_map_pairs(mut guest: Guest<'_>, kind: u32, return_at: u32, return_size: u32) -> Result<Status> {
    let Some(pairs) = headers(guest.state(), kind) else { return Ok(Status::BadArgument) };
    let encoded = abi::encode(pairs);
    guest.give(&encoded, return_at, return_size)?;
    Ok(Status::Ok)
}

fn proxy_replace_header_map_value(
    mut guest: Guest<'_>,
    kind: u32,
    name: u32,
    name_size: u32,
    value: u32,
    value_size: u32,
) -> Result<Status> {
    let (name, value) = (guest.text(name, name_size)?, guest.bytes(value, value_size)?);
    let Some(pairs) = headers(guest.state(), kind) else { return Ok(Status::BadArgument) };
    pairs.retain(|(header, _)| *header != name);
    pairs.push((name, value));
    Ok(Status::Ok)
}

fn proxy_remove_header_map_value(mut guest: Guest<'_>, kind: u32, name: u32, name_size: u32) -> Result<Status> {
    let name = guest.text(name, name_size)?;
    let Some(pairs) = headers(guest.state(), kind) else { return Ok(Status::BadArgument) };
    pairs.retain(|(header, _)| *header != name);
    Ok(Status::Ok)
}

fn proxy_get_property(
    mut guest: Guest<'_>,
    path: u32,
    path_size: u32,
    return_at: u32,
    return_size: u32,
) -> Result<Status> {
    let path = guest.text(path, path_size)?.replace('\0', ".");
    let value = exchange(guest.state())?.properties.get(&path).cloned();
    let Some(value) = value else { return Ok(Status::NotFound) };
    guest.give(&value, return_at, return_size)?;
    Ok(Status::Ok)
}

fn proxy_set_property(mut guest: Guest<'_>, path: u32, path_size: u32, value: u32, value_size: u32) -> Result<Status> {
    let (path, value) = (guest.text(path, path_size)?, guest.bytes(value, value_size)?);
    exchange(guest.state())?.filter_state.insert(path, value);
    Ok(Status::Ok)
}

/// The request that the filter is asked about.
fn exchange(state: &mut State) -> Result<&mut Exchange> {
    state.exchange.as_mut().context("there is no request")
}

// === replies and calls ===

#[expect(clippy::too_many_arguments, reason = "the interface has them")]
fn proxy_send_local_response(
    mut guest: Guest<'_>,
    status: u32,
    _details: u32,
    _details_size: u32,
    body: u32,
    body_size: u32,
    headers: u32,
    headers_size: u32,
    _grpc_status: i32,
) -> Result<Status> {
    let body = guest.bytes(body, body_size)?;
    let headers = abi::decode(&guest.bytes(headers, headers_size)?)?;
    let earlier = exchange(guest.state())?.reply.replace(Reply { status, headers, body });
    ensure!(earlier.is_none(), "the request is answered already");
    Ok(Status::Ok)
}

#[expect(clippy::too_many_arguments, reason = "the interface has them")]
fn proxy_http_call(
    mut guest: Guest<'_>,
    cluster: u32,
    cluster_size: u32,
    headers: u32,
    headers_size: u32,
    _body: u32,
    body_size: u32,
    _trailers: u32,
    _trailers_size: u32,
    timeout: u32,
    return_token: u32,
) -> Result<Status> {
    ensure!(timeout > 0 && body_size == 0, "a call has a timeout and, here, no body");
    let call = Call {
        cluster: guest.text(cluster, cluster_size)?,
        headers: abi::decode(&guest.bytes(headers, headers_size)?)?,
    };
    let state = guest.state();
    state.last_token += 1;
    let token = state.last_token;
    state.calls.insert(token, call);
    guest.set_u32(return_token, token)?;
    Ok(Status::Ok)
}

// === what workers share ===

fn proxy_get_shared_data(
    mut guest: Guest<'_>,
    key: u32,
    key_size: u32,
    return_at: u32,
    return_size: u32,
    return_cas: u32,
) -> Result<Status> {
    let key = guest.text(key, key_size)?;
    let Some((value, cas)) = guest.state().shared.get(&key).cloned() else { return Ok(Status::NotFound) };
    guest.give(&value, return_at, return_size)?;
    guest.set_u32(return_cas, cas)?;
    Ok(Status::Ok)
}

/// Without a number, or for a key that nobody wrote yet, the value is replaced.
fn proxy_set_shared_data(
    mut guest: Guest<'_>,
    key: u32,
    key_size: u32,
    value: u32,
    value_size: u32,
    cas: u32,
) -> Result<Status> {
    let (key, value) = (guest.text(key, key_size)?, guest.bytes(value, value_size)?);
    let known = guest.state().shared.entry(key).or_default();
    if cas != 0 && known.1 != 0 && known.1 != cas {
        return Ok(Status::CasMismatch);
    }
    *known = (value, known.1 + 1);
    Ok(Status::Ok)
}

/// There is none; the filter verifies signatures itself.
fn proxy_call_foreign_function(
    _guest: Guest<'_>,
    _name: u32,
    _name_size: u32,
    _argument: u32,
    _argument_size: u32,
    _return_at: u32,
    _return_size: u32,
) -> Result<Status> {
    Ok(Status::NotFound)
}

// === metrics ===

fn proxy_define_metric(mut guest: Guest<'_>, _kind: u32, name: u32, name_size: u32, return_id: u32) -> Result<Status> {
    let name = guest.text(name, name_size)?;
    let metrics = &mut guest.state().metrics;
    let id = metrics.iter().position(|(known, _)| *known == name).unwrap_or(metrics.len());
    if id == metrics.len() {
        metrics.push((name, 0));
    }
    guest.set_u32(return_id, u32::try_from(id)?)?;
    Ok(Status::Ok)
}

fn proxy_increment_metric(mut guest: Guest<'_>, id: u32, offset: i64) -> Result<Status> {
    let value = metric(guest.state(), id)?;
    *value = value.checked_add_signed(offset).context("a counter below zero")?;
    Ok(Status::Ok)
}

fn proxy_record_metric(mut guest: Guest<'_>, id: u32, value: u64) -> Result<Status> {
    *metric(guest.state(), id)? = value;
    Ok(Status::Ok)
}

fn metric(state: &mut State, id: u32) -> Result<&mut u64> {
    state.metrics.get_mut(id as usize).map(|(_, value)| value).context("no such metric")
}
