// The table of routes. Signed-in is the default; an open route says so.
//
//   routes.get("/api/card/:id", [&services](http::Request& request) { return card_json(services, request); })
//         .summary("One card.");
//   routes.post("/api/card", [&services](http::Request& request, const NewCard& card) -> json::value { … })   // body by its fields()
//         .summary("Save a card.");
//   routes.post("/api/session", sign_in).open();
#pragma once
#include <type_traits>

#include "base/json_fields.h"
#include "http/request.h"

namespace basalt::http {

using Handler = std::function<Response(Request&)>;

enum class Access { SignedIn, Open, Administrator };
enum class Pool { Application, Query, Hashing };  // where the handler runs

struct Route {
  Method method = Method::Get;
  std::string pattern;                 // "/api/card/:id"; literal segments beat ":name"; a last segment "*rest" takes the remainder
  Handler handler;
  Access access_rule = Access::SignedIn;
  Pool pool_choice = Pool::Application;
  std::size_t body_limit = 8 << 20;    // bytes; more is 413
  std::string summary_text;
  std::string feature;                 // tag in the API document
  json::object body_schema;            // JSON Schema of the body, empty when none

  Route& summary(std::string text) { summary_text = std::move(text); return *this; }
  Route& open() { access_rule = Access::Open; return *this; }                    // no credential needed
  Route& administrator() { access_rule = Access::Administrator; return *this; }  // others get 403, anonymous 401
  Route& runs_on(Pool pool) { pool_choice = pool; return *this; }
  Route& body_up_to(std::size_t bytes) { body_limit = bytes; return *this; }
};

class Routes {
 public:
  Routes();
  ~Routes();
  Routes& in_feature(std::string name) { feature_ = std::move(name); return *this; }  // tag for the routes that follow

  template <class F> Route& get(std::string pattern, F handler) { return add(Method::Get, std::move(pattern), std::move(handler)); }
  template <class F> Route& post(std::string pattern, F handler) { return add(Method::Post, std::move(pattern), std::move(handler)); }
  template <class F> Route& put(std::string pattern, F handler) { return add(Method::Put, std::move(pattern), std::move(handler)); }
  template <class F> Route& del(std::string pattern, F handler) { return add(Method::Delete, std::move(pattern), std::move(handler)); }

  struct Match {
    const Route* route = nullptr;  // nullptr: no such route (404), or wrong method when `other_method`
    bool other_method = false;
    std::map<std::string, std::string, std::less<>> path_values;
  };
  // `path` as in the request line, still percent-encoded (an encoded slash stays within its segment), with or without a
  // trailing slash; the values come decoded. HEAD finds the GET route.
  Match match(Method method, std::string_view path) const;
  const std::vector<std::unique_ptr<Route>>& all() const { return routes_; }
  json::object openapi(std::string_view server_version) const;  // OpenAPI 3.1 document of all routes

 private:
  template <class F>
  Route& add(Method method, std::string pattern, F handler) {
    auto route = std::make_unique<Route>();
    route->method = method;
    route->pattern = std::move(pattern);
    route->feature = feature_;
    if constexpr (std::is_invocable_v<F, Request&>) {
      route->handler = [handler = std::move(handler)](Request& request) mutable -> Response {
        return to_response([&]() -> decltype(auto) { return handler(request); });
      };
    } else {
      using Body = typename Second<decltype(&F::operator())>::type;
      route->body_schema = describe_fields<Body>();
      route->handler = [handler = std::move(handler)](Request& request) mutable -> Response {
        Body body = read_fields<Body>(request.json_body());
        return to_response([&]() -> decltype(auto) { return handler(request, body); });
      };
    }
    routes_.push_back(std::move(route));
    place(*routes_.back());
    return *routes_.back();
  }

  template <class Call>
  static Response to_response(Call&& call) {
    using Result = std::invoke_result_t<Call>;
    if constexpr (std::is_void_v<Result>) { call(); return Response::no_content(); }
    else if constexpr (std::is_same_v<std::decay_t<Result>, Response>) return call();
    else return Response::json(call());
  }

  template <class Signature> struct Second;
  template <class R, class C, class Body> struct Second<R (C::*)(Request&, const Body&) const> { using type = Body; };
  template <class R, class C, class Body> struct Second<R (C::*)(Request&, const Body&)> { using type = Body; };

  struct Node;                  // one segment of the patterns' tree
  void place(const Route& route);  // throws Failure Bug when the same pattern and method were stated before

  std::string feature_;
  std::vector<std::unique_ptr<Route>> routes_;
  std::unique_ptr<Node> root_;
};

}  // namespace basalt::http
