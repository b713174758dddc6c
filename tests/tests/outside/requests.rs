//! Requests that are wrong: one clear problem each, and nothing is done.

use mysqlsvc_http::wire::{HealthStatus, Problem};
use mysqlsvc_tests::{LIMIT, Monitord, fake::Fake, monitord::Setup};
use reqwest::{Method, StatusCode, header};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

async fn start(silent: &Fake) -> Monitord {
    let setup = Setup {
        nodes: vec![silent.address.clone()],
        secrets: "dba_passwd=one\nrepl_passwd=two\n".to_owned(),
        ..Setup::default()
    };
    Monitord::start(&setup).await
}

struct Client {
    http: reqwest::Client,
    base: String,
}

impl Client {
    fn new(monitord: &Monitord) -> Self {
        Self { http: reqwest::Client::new(), base: format!("http://{}", monitord.http) }
    }

    /// Sends a text as JSON, and reads the problem that must come of it.
    async fn post(&self, path: &str, body: &str) -> Problem {
        let request = self.http.post(format!("{}{path}", self.base)).body(body.to_owned());
        problem(request.header(header::CONTENT_TYPE, "application/json")).await
    }
}

async fn problem(request: reqwest::RequestBuilder) -> Problem {
    let response = request.send().await.unwrap();
    let status = response.status();
    let kind = response.headers().get(header::CONTENT_TYPE).unwrap().to_str().unwrap().to_owned();
    let text = response.text().await.unwrap();
    assert!(kind.starts_with("application/problem+json"), "{status} {kind}: {text}");
    let problem: Problem = serde_json::from_str(&text).unwrap();
    assert_eq!(problem.status, status.as_u16());
    assert!(problem.kind.starts_with("/problems/"), "{}", problem.kind);
    assert!(!problem.detail.is_empty());
    problem
}

#[tokio::test]
async fn wrong_bodies_paths_and_queries_are_problems_that_name_the_field() {
    let silent = Fake::silent().await;
    let monitord = start(&silent).await;
    let client = Client::new(&monitord);
    let node = &silent.address;
    monitord.api.until("listed", |now| now.nodes.len() == 1).await;
    let switch = "/api/v1/clusters/main/switch";
    let register = format!("/api/v1/clusters/main/nodes/{node}/register");
    for (path, body, status, word) in [
        (switch, "{", 400, "EOF"),
        (switch, "{}", 400, "to"),
        (switch, r#"{"to":7}"#, 400, "string"),
        (switch, r#"{"to":"db"}"#, 400, "db"),
        (switch, r#"{"to":"db:3306","dryrun":true}"#, 400, "dryrun"),
        (switch, r#"{"to":"db:3306","strategy":"luck"}"#, 400, "luck"),
        (switch, r#"{"to":"db:3306","confirm":"other:1"}"#, 400, "confirm"),
        (switch, r#"{"to":"db:3306"}"#, 404, "db:3306"),
        ("/api/v1/clusters/main/switch?wait=soon", r#"{"to":"db:3306"}"#, 400, "wait"),
        ("/api/v1/clusters/main/switch?colour=1", r#"{"to":"db:3306"}"#, 400, "colour"),
        ("/api/v1/clusters/other/switch", r#"{"to":"db:3306"}"#, 404, "other"),
        (register.as_str(), r#"{"role":"leader"}"#, 400, "leader"),
        (register.as_str(), r#"{"role":"unregistered"}"#, 400, "unregister"),
        (register.as_str(), "[]", 400, ""),
        ("/api/v1/clusters/main/nodes/10.9.9.9:1/register", r#"{"role":"slave"}"#, 404, "10.9.9.9"),
        ("/api/v1/clusters/main/nodes/nowhere/activate", "{}", 400, "nowhere"),
        ("/api/v1/clusters/main/nodes/10.9.9.9:1/pause", "{}", 404, "10.9.9.9"),
        ("/api/v1/clusters/main/nodes/10.9.9.9:1/detach", r#"{"now":1}"#, 400, "now"),
        ("/api/v1/clusters/main/maintenance", r#"{"on":"yes"}"#, 400, "on"),
        ("/api/v1/clusters/other/maintenance", r#"{"on":true}"#, 404, "other"),
        ("/api/v1/nothing", "{}", 404, "nothing"),
    ] {
        let problem = client.post(path, body).await;
        assert_eq!(problem.status, status, "{path} {body}: {problem}");
        assert!(problem.detail.contains(word), "{path} {body}: {} lacks {word}", problem.detail);
    }
    let cluster = monitord.api.cluster().await;
    assert_eq!((cluster.epoch, cluster.master, cluster.operation.is_none()), (0, None, true));
    assert!(monitord.api.client().operations("main").await.unwrap().is_empty());
}

#[tokio::test]
async fn foreign_pages_other_content_and_other_methods_are_turned_away() {
    let silent = Fake::silent().await;
    let monitord = start(&silent).await;
    let client = Client::new(&monitord);
    let url = format!("{}/api/v1/clusters/main/switch", client.base);
    let body = r#"{"to":"db:3306"}"#;
    let json = |request: reqwest::RequestBuilder| {
        request.header(header::CONTENT_TYPE, "application/json").body(body)
    };
    let post = || client.http.post(&url);

    let foreign = post().header(header::ORIGIN, "http://evil.example");
    assert_eq!(problem(json(foreign)).await.status, 403);
    // A name of another site that leads here (DNS rebinding).
    let rebound = post().header(header::HOST, "evil.example");
    assert_eq!(problem(json(rebound)).await.status, 403);
    let form = post().header(header::CONTENT_TYPE, "text/plain").body(body);
    assert_eq!(problem(form).await.status, 415);
    assert_eq!(problem(client.http.request(Method::DELETE, &url)).await.status, 405);
    // Our own origin is let through to where the node is looked for.
    let own = post().header(header::ORIGIN, client.base.clone());
    assert_eq!(problem(json(own)).await.status, 404);
}

/// It is turned away by what is announced, before any of it is sent.
#[tokio::test]
async fn a_body_that_is_too_large_is_not_waited_for() {
    let silent = Fake::silent().await;
    let monitord = start(&silent).await;
    let mut stream = TcpStream::connect(monitord.http).await.unwrap();
    let head = format!(
        "POST /api/v1/clusters/main/switch HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\
         Content-Type: application/json\r\nContent-Length: 5000000\r\n\r\n",
        monitord.http
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = String::new();
    let reading = stream.read_to_string(&mut answer);
    tokio::time::timeout(LIMIT, reading).await.expect("no answer").unwrap();
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
    assert!(answer.contains("/problems/too-large"), "{answer}");
}

#[tokio::test]
async fn it_lives_and_is_ready_with_nothing_but_a_silent_server() {
    let silent = Fake::silent().await;
    let monitord = start(&silent).await;
    let client = monitord.api.client();
    assert_eq!(client.healthz().await.unwrap().status, HealthStatus::Ok);
    client.readyz().await.unwrap();
    let response = reqwest::get(format!("http://{}/healthz", monitord.http)).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
}
