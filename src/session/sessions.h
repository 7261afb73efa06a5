// Who is asking: sessions and API keys, kept in the application database, remembered in memory for a few seconds.
#pragma once
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "appdb/store.h"
#include "http/caller.h"
#include "http/request.h"

namespace basalt::session {

struct SessionOptions {
  std::chrono::minutes age{20160};               // MAX_SESSION_AGE
  std::chrono::milliseconds remembered{5000};    // how long another node's sign-out may go unnoticed
  std::size_t most_remembered = 10'000;
  std::function<std::string()> site_url;         // setting site-url: an origin that is ours though a proxy hides it; may be empty
};

struct NewSession {
  std::string key;  // uuid; told once, stored as SHA-256
  Timestamp expires_at;
};

// Headers to add to an answer.
using Headers = std::vector<std::pair<std::string, std::string>>;
enum class Remember { No, Yes };

class Sessions final : public http::Authenticator {
 public:
  static constexpr const char* cookie_name = "metabase.SESSION";

  Sessions(appdb::Store& store, const Clock& clock, SessionOptions options);
  ~Sessions() override;

  // Order: x-api-key, cookie, X-Metabase-Session. Throws Failure Forbidden when a cookie comes with a changing request from
  // another site (Sec-Fetch-Site, Origin).
  std::shared_ptr<const http::Caller> authenticate(const http::Request& request) override;

  NewSession create(PersonId person, const http::Request& request);
  // Ends the session the request carries; false when it carries none that lives.
  bool end(const http::Request& request);
  void end_all_of(PersonId person);   // password changed, person deactivated
  void forget(PersonId person);       // groups, name, rights changed: read again at the next request
  void forget_all();
  std::int64_t remove_expired();      // a job's work; returns how many

  // Set-Cookie for a new session: HttpOnly, SameSite=Lax, Secure over https, Max-Age only when remembered.
  Headers cookies(const NewSession& session, const http::Request& request, Remember remember) const;
  Headers no_cookies(const http::Request& request) const;

 private:
  struct State;
  std::shared_ptr<const http::Caller> by_session(const std::string& key);
  std::shared_ptr<const http::Caller> by_api_key(const std::string& key);
  void require_own_site(const http::Request& request) const;

  appdb::Store& store_;
  const Clock& clock_;
  const SessionOptions options_;
  std::unique_ptr<State> state_;
};

// The groups of a person, sorted, with All Users (1) always among them.
std::vector<GroupId> groups_of(appdb::Connection& connection, PersonId person);

// A new API key: "mb_" and 43 random characters.
struct NewApiKey { std::string key, prefix, masked, hash; };
NewApiKey make_api_key();

}  // namespace basalt::session
