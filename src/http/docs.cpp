#include "http/docs.h"

#include "base/version.h"

namespace basalt::http {
namespace {

std::string escaped(std::string_view text) {
  std::string out;
  for (char c : text) {
    if (c == '<') out += "&lt;";
    else if (c == '>') out += "&gt;";
    else if (c == '&') out += "&amp;";
    else if (c == '"') out += "&quot;";
    else out += c;
  }
  return out;
}

const char* verb(Method method) {
  switch (method) {
    case Method::Get: return "GET";
    case Method::Post: return "POST";
    case Method::Put: return "PUT";
    case Method::Delete: return "DELETE";
    case Method::Patch: return "PATCH";
    case Method::Options: return "OPTIONS";
    case Method::Head: return "HEAD";
  }
  return "";
}

constexpr const char* style = R"(
:root { color-scheme: light dark; --ink: #1d2433; --faint: #667085; --paper: #fbfaf8; --line: #e4e0d8; --accent: #0f6b5c; }
@media (prefers-color-scheme: dark) { :root { --ink: #e7e5df; --faint: #9a9b97; --paper: #16191c; --line: #2c3136; --accent: #5bc0aa; } }
body { margin: 0 auto; max-width: 62rem; padding: 2.5rem 1.25rem 6rem; background: var(--paper); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.5rem; margin: 0 0 .25rem; } h2 { font-size: 1rem; margin: 2.25rem 0 .25rem; }
p { color: var(--faint); margin: .25rem 0 1rem; } a { color: var(--accent); }
table { width: 100%; border-collapse: collapse; } td { padding: .4rem .5rem; border-top: 1px solid var(--line); vertical-align: top; }
td:first-child { width: 4.5rem; font: 600 12px/1.9 ui-monospace, monospace; color: var(--accent); }
td:nth-child(2) { font: 13px/1.7 ui-monospace, monospace; overflow-wrap: anywhere; } td:last-child { color: var(--faint); width: 45%; }
small { border: 1px solid var(--line); border-radius: 4px; padding: 0 .35rem; margin-left: .5rem; }
)";

Response docs_page(const Routes& routes) {
  std::map<std::string, std::vector<const Route*>> by_feature;
  for (auto& route : routes.all()) by_feature[route->feature].push_back(route.get());
  std::string page = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\"><title>Basalt API</title><style>";
  page += style;
  page += "</style><h1>Basalt API</h1><p>" + std::to_string(routes.all().size()) +
          " routes. The same as <a href=\"/api/docs/openapi.json\">OpenAPI 3.1</a> for tools. "
          "Send <code>x-api-key</code>, <code>X-Metabase-Session</code> or the session cookie.</p>";
  for (auto& [feature, list] : by_feature) {
    page += "<h2>" + escaped(feature.empty() ? "other" : feature) + "</h2><table>";
    for (auto* route : list) {
      page += "<tr><td>" + std::string(verb(route->method)) + "<td>" + escaped(route->pattern);
      if (route->access_rule == Access::Open) page += "<small>open</small>";
      if (route->access_rule == Access::Administrator) page += "<small>administrators</small>";
      page += "<td>" + escaped(route->summary_text);
    }
    page += "</table>";
  }
  return Response::html(std::move(page))
      .with_header("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'");
}

}  // namespace

void add_docs_routes(Routes& routes) {
  routes.in_feature("docs");
  routes.get("/api/docs", [&routes](Request&) { return docs_page(routes); }).open().summary("This page.");
  routes.get("/api/docs/openapi.json", [&routes](Request&) { return json::value(routes.openapi(version())); })
      .open().summary("All routes as an OpenAPI document.");
}

}  // namespace basalt::http
