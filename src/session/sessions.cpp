#include "session/sessions.h"

#include <crypt.h>

#include <list>

#include "base/crypto.h"
#include "base/failure.h"
#include "base/log.h"
#include "base/random.h"

namespace basalt::session {
namespace {

using http::Caller;
using SteadyClock = std::chrono::steady_clock;

constexpr std::string_view person_columns = "p.id, p.email, p.first_name, p.last_name, p.locale, p.is_administrator";

std::shared_ptr<Caller> caller_from(appdb::Connection& connection, const appdb::Row& row) {
  auto caller = std::make_shared<Caller>();
  caller->person = row.id<PersonId>("id");
  caller->email = row.text("email");
  caller->first_name = row.optional_text("first_name").value_or("");
  caller->last_name = row.optional_text("last_name").value_or("");
  caller->locale = row.optional_text("locale").value_or("");
  caller->is_administrator = row.boolean("is_administrator");
  caller->groups = groups_of(connection, caller->person);
  return caller;
}

// "https://bi.example.com:8443/x" -> "bi.example.com:8443"; default ports are left out, as Host does.
std::string authority(std::string_view url) {
  auto begin = url.find("://");
  if (begin == std::string_view::npos) return "";
  bool https = url.starts_with("https");
  url.remove_prefix(begin + 3);
  std::string found(url.substr(0, url.find('/')));
  std::string_view standard = https ? ":443" : ":80";
  if (found.ends_with(standard)) found.resize(found.size() - standard.size());
  for (char& c : found) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  }
  return found;
}

}  // namespace

// What was read lately, by hash of the key. Bounded: the one not used longest goes first.
struct Sessions::State {
  struct Entry {
    std::shared_ptr<const Caller> caller;
    SteadyClock::time_point read_at;
    Timestamp expires_at;
    std::list<std::string>::iterator place;
  };
  std::mutex mutex;
  std::unordered_map<std::string, Entry> entries;  // GUARDED_BY(mutex)
  std::list<std::string> order;                    // GUARDED_BY(mutex): used last first
  std::uint64_t generation = 0;                    // GUARDED_BY(mutex): grows when something is forgotten

  std::shared_ptr<const Caller> find(const std::string& hash, Timestamp now, std::chrono::milliseconds life) {
    std::lock_guard lock(mutex);
    auto found = entries.find(hash);
    if (found == entries.end()) return nullptr;
    if (SteadyClock::now() - found->second.read_at > life || found->second.expires_at <= now) {
      order.erase(found->second.place);
      entries.erase(found);
      return nullptr;
    }
    order.splice(order.begin(), order, found->second.place);
    return found->second.caller;
  }
  std::uint64_t current() {
    std::lock_guard lock(mutex);
    return generation;
  }
  // Keeps what was read, unless something was forgotten since reading began.
  void keep(const std::string& hash, std::shared_ptr<const Caller> caller, Timestamp expires_at, std::uint64_t as_of, std::size_t most) {
    std::lock_guard lock(mutex);
    if (as_of != generation || entries.contains(hash)) return;
    order.push_front(hash);
    entries[hash] = {std::move(caller), SteadyClock::now(), expires_at, order.begin()};
    while (entries.size() > most) {
      entries.erase(order.back());
      order.pop_back();
    }
  }
  void remove_if(const std::function<bool(const std::string&, const Caller&)>& unwanted) {
    std::lock_guard lock(mutex);
    ++generation;
    for (auto it = entries.begin(); it != entries.end();) {
      if (unwanted(it->first, *it->second.caller)) {
        order.erase(it->second.place);
        it = entries.erase(it);
      } else {
        ++it;
      }
    }
  }
};

std::vector<GroupId> groups_of(appdb::Connection& connection, PersonId person) {
  std::vector<GroupId> groups{GroupId(1)};
  for (auto& row : connection.query("SELECT group_id FROM group_membership WHERE person_id = ?", {person})) groups.push_back(row.id<GroupId>("group_id"));
  std::sort(groups.begin(), groups.end());
  groups.erase(std::unique(groups.begin(), groups.end()), groups.end());
  return groups;
}

NewApiKey make_api_key() {
  NewApiKey made;
  auto text = base64(random_bytes(32));
  while (text.ends_with('=')) text.pop_back();
  made.key = "mb_" + text;
  made.prefix = made.key.substr(0, 7);
  made.masked = made.prefix + "****";
  made.hash = sha256_hex(made.key);
  return made;
}

Sessions::Sessions(appdb::Store& store, const Clock& clock, SessionOptions options)
    : store_(store), clock_(clock), options_(std::move(options)), state_(std::make_unique<State>()) {}

Sessions::~Sessions() = default;

std::shared_ptr<const Caller> Sessions::authenticate(const http::Request& request) {
  if (auto key = request.header("x-api-key")) return by_api_key(std::string(*key));
  if (auto cookie = request.cookie(cookie_name); cookie && !cookie->empty()) {
    auto caller = by_session(*cookie);
    if (caller) {
      require_own_site(request);
      return caller;
    }
  }
  if (auto header = request.header("x-metabase-session")) return by_session(std::string(*header));
  return nullptr;
}

void Sessions::require_own_site(const http::Request& request) const {
  using http::Method;
  if (request.method == Method::Get || request.method == Method::Head || request.method == Method::Options) return;
  auto site = request.header("sec-fetch-site");
  if (site && (*site == "same-origin" || *site == "none")) return;
  auto origin = request.header("origin");
  if (!site && !origin) return;  // no browser of today
  if (origin) {
    auto from = authority(*origin);
    auto host = authority("http" + std::string(request.is_https ? "s" : "") + "://" + std::string(request.header("host").value_or("")));
    if (!from.empty() && from == host && !site) return;
    // A proxy may show us another host than the browser sees; the person's own site is known from the settings.
    if (!from.empty() && options_.site_url && from == authority(options_.site_url())) return;
    if (auto forwarded = request.header("x-forwarded-host"); forwarded && !from.empty() && from == authority("https://" + std::string(*forwarded))) return;
  }
  throw Failure(FailureKind::Forbidden, "This request came from a page of another site. Open this server's own page and try again there.");
}

std::shared_ptr<const Caller> Sessions::by_session(const std::string& key) {
  if (key.size() < 16 || key.size() > 128) return nullptr;
  auto hash = sha256_hex(key);
  auto now = clock_.now();
  if (auto known = state_->find(hash, now, options_.remembered)) return known;
  auto as_of = state_->current();
  std::shared_ptr<Caller> caller;
  Timestamp expires_at{}, last_used{};
  std::int64_t row_id = 0;
  store_.read([&](appdb::Connection& connection) {
    auto row = connection.query_one("SELECT " + std::string(person_columns) +
                                        ", s.id AS session_id, s.expires_at, s.last_used_at FROM session s JOIN person p ON p.id = s.person_id "
                                        "WHERE s.key_hash = ? AND s.expires_at > ? AND p.is_active = ?",
                                    {hash, now, true});
    if (!row) return;
    caller = caller_from(connection, *row);
    expires_at = row->time("expires_at");
    row_id = row->integer("session_id");
    last_used = row->optional_time("last_used_at").value_or(Timestamp{});
  });
  if (!caller) return nullptr;
  caller->session_key_hash = hash;
  if (now - last_used > std::chrono::hours(1)) {
    try {
      store_.write([&](appdb::Connection& connection) { connection.execute("UPDATE session SET last_used_at = ? WHERE id = ?", {now, row_id}); });
    } catch (const Failure& failure) {
      // A store that takes no writes now must not keep people from reading.
      log::warning("session use not noted", {{"details", failure.sentence()}});
    }
  }
  state_->keep(hash, caller, expires_at, as_of, options_.most_remembered);
  return caller;
}

std::shared_ptr<const Caller> Sessions::by_api_key(const std::string& key) {
  if (!key.starts_with("mb_") || key.size() < 10 || key.size() > 256) return nullptr;
  auto hash = sha256_hex(key);
  auto now = clock_.now();
  if (auto known = state_->find(hash, now, options_.remembered)) return known;
  auto as_of = state_->current();
  std::shared_ptr<Caller> caller;
  std::string stored;
  store_.read([&](appdb::Connection& connection) {
    auto row = connection.query_one("SELECT " + std::string(person_columns) +
                                        ", k.key_hash FROM api_key k JOIN person p ON p.id = k.person_id WHERE k.key_prefix = ? AND p.is_active = ?",
                                    {key.substr(0, 7), true});
    if (!row) return;
    stored = row->text("key_hash");
    caller = caller_from(connection, *row);
  });
  if (!caller) return nullptr;
  if (stored.starts_with("$2")) {
    // Taken over from a Metabase: bcrypt.
    auto data = std::make_unique<crypt_data>();
    const char* made = crypt_r(key.c_str(), stored.c_str(), data.get());
    if (!made || made[0] == '*' || !equal_in_constant_time(made, stored)) return nullptr;
  } else if (!equal_in_constant_time(hash, stored)) {
    return nullptr;
  }
  caller->by_api_key = true;
  state_->keep(hash, caller, Timestamp::max(), as_of, options_.most_remembered);
  return caller;
}

NewSession Sessions::create(PersonId person, const http::Request& request) {
  auto now = clock_.now();
  NewSession made{.key = uuid4(), .expires_at = now + options_.age};
  auto agent = std::string(request.header("user-agent").value_or("")).substr(0, 500);
  store_.write([&](appdb::Connection& connection) {
    connection.insert("session", {{"key_hash", sha256_hex(made.key)}, {"person_id", person}, {"created_at", now}, {"expires_at", made.expires_at},
                                  {"last_used_at", now}, {"remote_address", request.remote_address}, {"user_agent", agent}});
    connection.update("person", {{"last_sign_in_at", now}}, "id", person);
  });
  return made;
}

bool Sessions::end(const http::Request& request) {
  auto key = request.cookie(cookie_name);
  if (!key || key->empty()) {
    auto header = request.header("x-metabase-session");
    if (!header) return false;
    key = std::string(*header);
  }
  auto hash = sha256_hex(*key);
  auto ended = store_.write([&](appdb::Connection& connection) { return connection.execute("DELETE FROM session WHERE key_hash = ?", {hash}); });
  state_->remove_if([&](const std::string& own, const Caller&) { return own == hash; });
  return ended > 0;
}

void Sessions::end_all_of(PersonId person) {
  store_.write([&](appdb::Connection& connection) { connection.execute("DELETE FROM session WHERE person_id = ?", {person}); });
  forget(person);
}

void Sessions::forget(PersonId person) {
  state_->remove_if([&](const std::string&, const Caller& caller) { return caller.person == person; });
}

void Sessions::forget_all() {
  state_->remove_if([](const std::string&, const Caller&) { return true; });
}

std::int64_t Sessions::remove_expired() {
  return store_.write([&](appdb::Connection& connection) {
    connection.execute("DELETE FROM password_reset WHERE expires_at < ?", {clock_.now()});
    return connection.execute("DELETE FROM session WHERE expires_at < ?", {clock_.now()});
  });
}

Headers Sessions::cookies(const NewSession& session, const http::Request& request, Remember remember) const {
  std::string shared = "; Path=/; SameSite=Lax; HttpOnly";
  if (request.is_https) shared += "; Secure";
  auto age = std::chrono::duration_cast<std::chrono::seconds>(options_.age).count();
  Headers headers;
  headers.emplace_back("Set-Cookie", std::string(cookie_name) + "=" + session.key + shared + (remember == Remember::Yes ? "; Max-Age=" + std::to_string(age) : ""));
  if (!request.cookie("metabase.DEVICE")) headers.emplace_back("Set-Cookie", "metabase.DEVICE=" + uuid4() + shared + "; Max-Age=630720000");
  return headers;
}

Headers Sessions::no_cookies(const http::Request& request) const {
  std::string text = std::string(cookie_name) + "=; Expires=Thu, 1 Jan 1970 00:00:00 GMT; Path=/; SameSite=Lax; HttpOnly";
  if (request.is_https) text += "; Secure";
  return {{"Set-Cookie", text}};
}

}  // namespace basalt::session
