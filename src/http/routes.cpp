#include "http/routes.h"

#include "http/url_text.h"

namespace basalt::http {
namespace {

constexpr std::size_t method_count = static_cast<std::size_t>(Method::Head) + 1;

std::vector<std::string_view> segments_of(std::string_view path) {
  std::vector<std::string_view> segments;
  if (path.starts_with('/')) path.remove_prefix(1);
  if (path.ends_with('/')) path.remove_suffix(1);
  if (path.empty()) return segments;
  for (;;) {
    auto slash = path.find('/');
    segments.push_back(path.substr(0, slash));
    if (slash == std::string_view::npos) return segments;
    path.remove_prefix(slash + 1);
  }
}

const char* openapi_name(Method method) {
  switch (method) {
    case Method::Get: return "get";
    case Method::Post: return "post";
    case Method::Put: return "put";
    case Method::Delete: return "delete";
    case Method::Patch: return "patch";
    case Method::Options: return "options";
    case Method::Head: return "head";
  }
  return "get";
}

}  // namespace

struct Routes::Node {
  std::map<std::string, std::unique_ptr<Node>, std::less<>> literals;
  std::unique_ptr<Node> any;                        // a ":name" segment
  std::array<const Route*, method_count> here{};    // patterns that end here
  std::array<const Route*, method_count> rest{};    // patterns that take the remainder from here ("*name")
  bool has_here = false, has_rest = false;

  struct Found {
    const Node* node = nullptr;
    bool by_rest = false;
    std::size_t depth = 0;  // segments used before the rest
    const Route* route(std::size_t method) const { return node ? (by_rest ? node->rest[method] : node->here[method]) : nullptr; }
  };

  // Literal first, then ":name", then "*rest"; a branch that ends in nothing is left again. A node without the wanted method
  // is only taken when no other branch has it, so "GET /a/:id" still answers where only "PUT /a/current" is stated.
  Found find(const std::vector<std::string_view>& segments, std::size_t at, std::size_t method) const {
    Found other;
    auto consider = [&](Found found) {
      if (found.route(method)) return true;
      if (found.node && !other.node) other = found;
      return false;
    };
    if (at == segments.size()) {
      if (Found found{has_here ? this : nullptr, false, at}; consider(found)) return found;
    } else {
      if (auto literal = literals.find(segments[at]); literal != literals.end()) {
        if (auto found = literal->second->find(segments, at + 1, method); consider(found)) return found;
      }
      if (any && !segments[at].empty()) {
        if (auto found = any->find(segments, at + 1, method); consider(found)) return found;
      }
      if (Found found{has_rest ? this : nullptr, true, at}; consider(found)) return found;
    }
    return other;
  }
};

Routes::Routes() : root_(std::make_unique<Node>()) {}
Routes::~Routes() = default;

void Routes::place(const Route& route) {
  Node* node = root_.get();
  auto segments = segments_of(route.pattern);
  bool takes_rest = false;
  for (auto segment : segments) {
    if (segment.starts_with('*')) { takes_rest = true; break; }
    auto& next = segment.starts_with(':') ? node->any : node->literals[std::string(segment)];
    if (!next) next = std::make_unique<Node>();
    node = next.get();
  }
  auto& slot = (takes_rest ? node->rest : node->here)[static_cast<std::size_t>(route.method)];
  if (slot) throw Failure(FailureKind::Bug, "A route is stated twice.").with_details(std::string(openapi_name(route.method)) + " " + route.pattern);
  slot = &route;
  (takes_rest ? node->has_rest : node->has_here) = true;
}

Routes::Match Routes::match(Method method, std::string_view path) const {
  auto segments = segments_of(path);
  auto found = root_->find(segments, 0, static_cast<std::size_t>(method));
  const Route* route = found.route(static_cast<std::size_t>(method));
  if (!route && method == Method::Head) {
    found = root_->find(segments, 0, static_cast<std::size_t>(Method::Get));
    route = found.route(static_cast<std::size_t>(Method::Get));
  }
  if (!route) return {.route = nullptr, .other_method = found.node != nullptr};
  Match match{.route = route};
  auto pattern = segments_of(route->pattern);
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i].starts_with('*')) {
      std::string rest;
      for (std::size_t k = i; k < segments.size(); ++k) {
        if (k > i) rest += '/';
        rest += segments[k];
      }
      auto decoded = percent_decoded(rest);
      if (!decoded) return {};
      match.path_values[std::string(pattern[i].substr(1))] = std::move(*decoded);
      break;
    }
    if (!pattern[i].starts_with(':')) continue;
    auto decoded = percent_decoded(segments[i]);
    if (!decoded) return {};
    match.path_values[std::string(pattern[i].substr(1))] = std::move(*decoded);
  }
  return match;
}

json::object Routes::openapi(std::string_view server_version) const {
  json::object paths;
  std::map<std::string, bool> tags;
  for (auto& route : routes_) {
    std::string path;
    json::array parameters;
    for (auto segment : segments_of(route->pattern)) {
      path += '/';
      if (segment.starts_with(':') || segment.starts_with('*')) {
        std::string name(segment.substr(1));
        path += "{" + name + "}";
        parameters.push_back(json::object{{"name", name}, {"in", "path"}, {"required", true}, {"schema", json::object{{"type", "string"}}}});
      } else {
        path += segment;
      }
    }
    json::object responses{{"200", json::object{{"description", "Success"}}}};
    if (route->access_rule != Access::Open) responses["401"] = json::object{{"description", "No valid credential: text `Unauthenticated`"}};
    if (route->access_rule == Access::Administrator) responses["403"] = json::object{{"description", "Administrators only"}};
    json::object operation{{"summary", route->summary_text}, {"tags", json::array{json::value(route->feature)}}, {"responses", std::move(responses)}};
    if (!parameters.empty()) operation["parameters"] = std::move(parameters);
    if (route->access_rule == Access::Open) operation["security"] = json::array();
    if (!route->body_schema.empty()) {
      json::object content{{"application/json", json::object{{"schema", route->body_schema}}}};
      operation["requestBody"] = json::object{{"required", true}, {"content", std::move(content)}};
    }
    tags[route->feature] = true;
    auto& entry = paths[path];
    if (!entry.is_object()) entry = json::object();
    entry.as_object()[openapi_name(route->method)] = std::move(operation);
  }
  json::array tag_list;
  for (auto& [name, used] : tags) tag_list.push_back(json::object{{"name", name}});
  json::object schemes{{"apiKey", json::object{{"type", "apiKey"}, {"in", "header"}, {"name", "x-api-key"}}},
                       {"session", json::object{{"type", "apiKey"}, {"in", "header"}, {"name", "X-Metabase-Session"}}},
                       {"cookie", json::object{{"type", "apiKey"}, {"in", "cookie"}, {"name", "metabase.SESSION"}}}};
  return {{"openapi", "3.1.0"},
          {"info", json::object{{"title", "Basalt"}, {"version", std::string(server_version)},
                                {"description", "The HTTP interface of Basalt. Made from the routes the server runs with."}}},
          {"security", json::array{json::object{{"apiKey", json::array()}}, json::object{{"session", json::array()}}, json::object{{"cookie", json::array()}}}},
          {"tags", std::move(tag_list)},
          {"paths", std::move(paths)},
          {"components", json::object{{"securitySchemes", std::move(schemes)}}}};
}

}  // namespace basalt::http
