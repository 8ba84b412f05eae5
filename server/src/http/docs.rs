//! The API's description: `/openapi.json` for programs and `/docs` for people, both made from the types.
//!
//! `/docs` is the same for everyone and a browser can't send a token when it opens a page, so it needs none.

use super::{App, auth};
use crate::access::Scope;
use axum::Router;
use axum::http::header;
use axum::middleware::from_fn_with_state;
use axum::response::IntoResponse;
use axum::routing::get;
use serde_json::{Map, Value};
use std::fmt::Write;
use std::sync::Arc;
use utoipa::openapi::OpenApi;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};

/// Names the two ways to send a token.
pub(super) fn add_security(description: &mut OpenApi) {
    let components = description.components.get_or_insert_default();
    let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build();
    components.add_security_scheme("bearer", SecurityScheme::Http(bearer));
    let key = ApiKey::Header(ApiKeyValue::new("x-api-key"));
    components.add_security_scheme("api_key", SecurityScheme::ApiKey(key));
}

pub(super) fn routes(description: &OpenApi, app: &Arc<App>) -> Router<Arc<App>> {
    let value = serde_json::to_value(description).unwrap_or_default();
    let json = axum::body::Bytes::from(value.to_string());
    let html = axum::body::Bytes::from(page(&value));
    let openapi = get(async move || ([(header::CONTENT_TYPE, "application/json")], json).into_response());
    let docs =
        get(async move || ([(header::CONTENT_TYPE, "text/html; charset=utf-8")], html).into_response());
    Router::new()
        .route("/openapi.json", openapi)
        .route_layer(from_fn_with_state((Arc::clone(app), Scope::Score), auth::require))
        .route("/docs", docs)
}

/// The description as a page.
fn page(api: &Value) -> String {
    let mut html = String::from(
        "<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content=\"width=device-width\">\
         <title>bonafide: REST</title><link rel=icon href=data:,><link rel=stylesheet href=/docs.css><main><h1>bonafide: REST</h1>",
    );
    write_intro(&mut html, api);
    for (path, item) in members(api.pointer("/paths")) {
        for (method, operation) in members(Some(item)) {
            write_operation(&mut html, method, path, operation);
        }
    }
    html.push_str("<h2 id=types>Types</h2>");
    for (name, schema) in members(api.pointer("/components/schemas")) {
        write_schema(&mut html, name, schema);
    }
    html.push_str("</main></html>");
    html
}

fn write_intro(html: &mut String, api: &Value) {
    let intro = "Send the token as <code>Authorization: Bearer TOKEN</code> or <code>x-api-key: TOKEN</code>. \
         The first token is in the file <code>token</code> in bonafide's config folder; <code>bonafide token add \
         NAME</code> makes more. Every failure has the shape of <a href=#ErrorBody>ErrorBody</a>. For programs: \
         <code>/openapi.json</code>, which needs a token.";
    let _ = write!(html, "<p>{}<p>{intro}", escaped(text(api.pointer("/info/description"))));
    html.push_str(
        "<pre>curl http://127.0.0.1:8017/v1/score \\\n  -H \"x-api-key: $(cat ~/.config/bonafide/token)\" \
         \\\n  -H 'content-type: application/json' \\\n  -d '{\"text\": \"…\"}'</pre>",
    );
}

fn write_operation(html: &mut String, method: &str, path: &str, operation: &Value) {
    let title = format!("{} {path}", method.to_uppercase());
    let open =
        operation.pointer("/security/0").is_some_and(|first| first.as_object().is_some_and(Map::is_empty));
    let token = if open { "No token needed." } else { "Needs a token." };
    let _ = write!(
        html,
        "<section><h2><code>{}</code></h2><p>{} {}<p>{token}",
        escaped(&title),
        escaped(text(operation.get("summary"))),
        escaped(text(operation.get("description"))),
    );
    if let Some(schema) = operation.pointer("/requestBody/content/application~1json/schema") {
        let _ = write!(html, "<p>Body: {}", kind(schema));
    }
    html.push_str("<table><tr><th>Status<th>Body<th>When");
    for (status, response) in members(operation.get("responses")) {
        let schema = members(response.get("content")).next().and_then(|(_, content)| content.get("schema"));
        let _ = write!(
            html,
            "<tr><td>{}<td>{}<td>{}",
            escaped(status),
            schema.map_or_else(String::new, kind),
            escaped(text(response.get("description"))),
        );
    }
    html.push_str("</table></section>");
}

fn write_schema(html: &mut String, name: &str, schema: &Value) {
    let _ = write!(
        html,
        "<section><h3 id=\"{0}\"><code>{0}</code></h3><p>{1}",
        escaped(name),
        escaped(text(schema.get("description")))
    );
    if let Some(values) = schema.get("enum").and_then(Value::as_array) {
        let values: Vec<_> =
            values.iter().map(|value| format!("<code>{}</code>", escaped(text(Some(value))))).collect();
        let _ = write!(html, "<p>One of {}.", values.join(", "));
    }
    let parts = schema
        .get("allOf")
        .and_then(Value::as_array)
        .map_or_else(|| vec![schema], |all| all.iter().collect());
    for part in parts {
        if part.get("$ref").is_some() {
            let _ = write!(html, "<p>All of {}, and:", kind(part));
        }
        write_properties(html, part);
    }
    html.push_str("</section>");
}

fn write_properties(html: &mut String, schema: &Value) {
    if schema.get("properties").is_none() {
        return;
    }
    let required = |name: &str| {
        let names = schema.get("required").and_then(Value::as_array);
        names.is_some_and(|names| names.iter().any(|required| required == name))
    };
    html.push_str("<table><tr><th>Field<th>Type<th>Meaning");
    for (name, property) in members(schema.get("properties")) {
        let optional = if required(name) { "" } else { " <i>optional</i>" };
        let _ = write!(
            html,
            "<tr><td><code>{}</code>{optional}<td>{}<td>{}",
            escaped(name),
            kind(property),
            escaped(text(property.get("description")))
        );
    }
    html.push_str("</table>");
}

/// A schema's type in one line.
fn kind(schema: &Value) -> String {
    if let Some(name) = schema.get("$ref").and_then(Value::as_str).and_then(|path| path.rsplit('/').next()) {
        return format!("<a href=\"#{0}\">{0}</a>", escaped(name));
    }
    if let Some(any) = schema.get("oneOf").or(schema.get("anyOf")).and_then(Value::as_array) {
        return any.iter().map(kind).collect::<Vec<_>>().join(" or ");
    }
    if let Some(items) = schema.get("items") {
        return format!("list of {}", kind(items));
    }
    if let Some(values) = schema.get("additionalProperties").filter(|values| values.is_object()) {
        return format!("map from name to {}", kind(values));
    }
    match schema.get("type") {
        Some(Value::String(name)) => escaped(name),
        Some(Value::Array(names)) => {
            names.iter().map(|name| escaped(text(Some(name)))).collect::<Vec<_>>().join(" or ")
        }
        _ => "any".to_owned(),
    }
}

fn members(value: Option<&Value>) -> impl Iterator<Item = (&String, &Value)> {
    value.and_then(Value::as_object).into_iter().flatten()
}

fn text(value: Option<&Value>) -> &str {
    value.and_then(Value::as_str).unwrap_or("")
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
