//! The published APIs as a real nginx asks them (`auth_request`), in front of a real upstream: the configurations of
//! docs/dialects, and what the upstream sees.

use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;

use portcullis_rig::upstream::Seen;
use portcullis_rig::{Client, Nginx, NginxBinary, Request, Response, Server, Upstream};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::engines::portcullis;

/// nginx in front of an upstream, and the server that it asks.
struct Site {
    client: Client,
    server: Server,
    upstream: Upstream,
    folder: TempDir,
    _nginx: Nginx,
}

impl Site {
    /// `locations` are those of nginx; `{server}` and `{upstream}` stand for addresses.
    fn start(locations: &str) -> Self {
        let folder = TempDir::new().unwrap();
        let tools = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/tools");
        let configuration = "trusted_proxies = [\"127.0.0.1\"]\n";
        let server = Server::start_with(&portcullis().unwrap(), folder.path(), configuration).unwrap();
        let upstream = Upstream::start().unwrap();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap();
        let locations = locations
            .replace("{server}", &server.address().to_string())
            .replace("{upstream}", &upstream.address().to_string());
        let place = folder.path().display();
        let text = format!(
            "daemon off;\nworker_processes 1;\npid {place}/nginx.pid;\nerror_log stderr warn;\n\
             events {{ worker_connections 256; }}\nhttp {{\naccess_log off;\n\
             client_body_temp_path {place}/body;\nproxy_temp_path {place}/proxy;\nfastcgi_temp_path {place}/fastcgi;\n\
             uwsgi_temp_path {place}/uwsgi;\nscgi_temp_path {place}/scgi;\nserver {{\nlisten {listener};\n{locations}}}\n}}\n"
        );
        let binary = NginxBinary::find_or_install(&tools).unwrap();
        let nginx = Nginx::run(&binary, &text, listener, folder.path()).unwrap();
        Self { client: nginx.client(), server, upstream, folder, _nginx: nginx }
    }

    fn send(&mut self, request: &Request) -> Response {
        self.client.send(request).unwrap()
    }

    /// Status; the upstream is reached when it is 200, and only then.
    fn status(&mut self, request: &Request) -> u16 {
        let before = self.upstream.requests();
        let response = self.send(request);
        assert_eq!(self.upstream.requests() > before, response.status == 200, "{request:?}: {}", response.text());
        response.status
    }
}

/// Who the user is was found out by the proxy, as its header `x-login` stands for here.
const PADLOCK: &str = "
location / {
    auth_request /_allow;
    proxy_pass http://{upstream};
    proxy_set_header host $http_host;
}
location = /_allow {
    internal;
    proxy_pass http://{server}/v1/allow;
    proxy_method GET;
    proxy_pass_request_body off;
    proxy_set_header content-length \"\";
    proxy_set_header x-forwarded-method $request_method;
    proxy_set_header x-forwarded-uri $request_uri;
    proxy_set_header x-forwarded-host $host;
    proxy_set_header x-forwarded-for $remote_addr;
    proxy_set_header x-caller-userid $http_x_login;
}
";

#[test]
fn nginx_asks_padlock_about_each_request() {
    let mut site = Site::start(PADLOCK);
    let policy = "version: 1
roles: {reader: {permissions: [read]}}
routes:
  - host: api.example.org
    paths: [{pattern: '^/items$', methods: {GET: [read]}}]
";
    site.server.put_policy(policy).unwrap();
    let user = json!({"user": {"user_id": "rui"}, "roles": ["reader"]});
    site.server.send(Request::new("POST", "/v1/user").json(&user)).unwrap().expect_status(200).unwrap();
    let ask = |method: &str, path: &str, host: &str, user: &str| {
        Request::new(method, path).header("host", host).header("x-login", user)
    };
    for (method, path, host, user, status) in [
        ("GET", "/items", "api.example.org", "rui", 200),
        ("GET", "/items?page=2", "api.example.org", "rui", 200),
        ("POST", "/items", "api.example.org", "rui", 403),
        ("GET", "/other", "api.example.org", "rui", 403),
        ("GET", "/items", "other.example.org", "rui", 403),
        ("GET", "/items", "api.example.org", "nobody", 403),
    ] {
        assert_eq!(site.status(&ask(method, path, host, user)), status, "{method} {path} {host} {user}");
    }
    // What a client says about itself is not what the proxy says.
    let forged = ask("POST", "/items", "api.example.org", "rui").header("x-forwarded-method", "GET");
    assert_eq!(site.status(&forged.header("x-caller-userid", "admin")), 403);
    // A change counts at the next request.
    let none = Request::new("PUT", "/v1/user/rui/roles").json(&json!({"roles": []}));
    site.server.send(none).unwrap().expect_status(200).unwrap();
    assert_eq!(site.status(&ask("GET", "/items", "api.example.org", "rui")), 403);
}

const BARONG: &str = "
location / {
    auth_request /_auth;
    auth_request_set $token $upstream_http_authorization;
    proxy_pass http://{upstream};
    proxy_set_header host $http_host;
    proxy_set_header authorization $token;
}
location /api/v2/barong/ {
    auth_request /_auth;
    auth_request_set $token $upstream_http_authorization;
    proxy_pass http://{server};
    proxy_set_header host $http_host;
    proxy_set_header x-forwarded-for $remote_addr;
    proxy_set_header authorization $token;
}
location = /_auth {
    internal;
    proxy_pass http://{server}/api/v2/auth$request_uri;
    proxy_method $request_method;
    proxy_pass_request_body off;
    proxy_set_header content-length \"\";
    proxy_set_header host $http_host;
    proxy_set_header x-forwarded-for $remote_addr;
    proxy_set_header x-portcullis-deny-status 403;
}
";

/// As Barong's seeds become it.
const SEEDS: &str = "permissions:
  - {role: member, verb: ALL, path: api/v2/shop, action: ACCEPT}
  - {role: member, verb: ALL, path: api/v2/barong/resource, action: ACCEPT}
restrictions:
  - {category: blacklist, scope: ip, value: 198.51.100.1}
";

/// The first mail of a folder; it is written after the answer.
fn first_mail(folder: &Path) -> String {
    loop {
        if let Some(Ok(mail)) = fs::read_dir(folder).ok().and_then(|mut mails| mails.next()) {
            return fs::read_to_string(mail.path()).unwrap();
        }
        std::thread::yield_now();
    }
}

#[test]
fn people_sign_up_and_log_in_behind_nginx() {
    let mut site = Site::start(BARONG);
    site.server.put_policy(&portcullis_compiler::import::barong(SEEDS).unwrap().document).unwrap();
    let agent = |request: Request| request.header("host", "shop.example").header("user-agent", "test");
    let identity =
        |path: &str, body: &Value| agent(Request::new("POST", &format!("/api/v2/barong/identity/{path}"))).json(body);
    let account = json!({"email": "ada@example.org", "password": "Iequ4geiEWQw"});
    site.send(&identity("users", &account)).expect_status(201).unwrap();
    let mail = first_mail(&site.folder.path().join("data/mail/new"));
    let code = json!({"token": mail.trim_end().lines().last().unwrap()});
    site.send(&identity("users/email/confirm_code", &code)).expect_status(201).unwrap();

    let shop = |request: Request| agent(request);
    assert_eq!(site.status(&shop(Request::get("/api/v2/shop"))), 401);
    let session = site.send(&identity("sessions", &account)).expect_status(200).unwrap();
    let cookie = session.header("set-cookie").unwrap().split(';').next().unwrap().to_owned();
    let csrf = session.json().unwrap()["csrf_token"].as_str().unwrap().to_owned();
    let answer = site.send(&shop(Request::get("/api/v2/shop").header("cookie", &cookie))).expect_status(200).unwrap();
    let seen = Seen::in_response(&answer).unwrap();
    assert!(matches!(seen.headers("authorization")[..], [token] if token.starts_with("Bearer ey")), "{answer:?}");
    let post = |csrf: &str| {
        shop(Request::new("POST", "/api/v2/shop").header("cookie", &cookie))
            .header("x-csrf-token", csrf)
            .json(&json!({}))
    };
    assert_eq!((site.status(&post(&csrf)), site.status(&post("x"))), (200, 401));
    // A token that the client made up does not reach the upstream.
    let forged = shop(Request::get("/api/v2/shop").header("cookie", &cookie)).bearer("forged");
    let seen = Seen::in_response(&site.send(&forged).expect_status(200).unwrap()).unwrap();
    assert!(matches!(seen.headers("authorization")[..], [token] if token.starts_with("Bearer ey")));
    let me = agent(Request::get("/api/v2/barong/resource/users/me").header("cookie", &cookie));
    let me = site.send(&me).expect_status(200).unwrap().json().unwrap();
    assert_eq!((&me["email"], &me["state"]), (&json!("ada@example.org"), &json!("active")));
    assert_eq!(site.status(&shop(Request::get("/api/v2/other").header("cookie", &cookie))), 401);
    // 400 is none of nginx's two: it becomes the status that was asked for.
    assert_eq!(site.status(&shop(Request::get("/api/v2/shop/../other").header("cookie", &cookie))), 403);

    let out = agent(Request::new("DELETE", "/api/v2/barong/identity/sessions").header("cookie", &cookie));
    site.send(&out).expect_status(200).unwrap();
    assert_eq!(site.status(&shop(Request::get("/api/v2/shop").header("cookie", &cookie))), 401);
}
