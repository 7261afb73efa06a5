// Passwords: hashing, checking, and the rules a new one must meet. Hashing takes about 50 ms and 19 MiB: call it on the
// hashing pool, never on the application pool.
#pragma once
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/json.h"

namespace basalt::session {

struct PasswordRules {
  int total = 6, lower = 0, upper = 0, digit = 1, special = 0;  // at least so many

  // `complexity`: weak | normal | strong (MB_PASSWORD_COMPLEXITY); `length`: MB_PASSWORD_LENGTH. Failure BadRequest on another word.
  static PasswordRules from(std::string_view complexity, std::optional<int> length);
  json::object to_json() const;  // {"total":6,"digit":1}: only what is asked
};

class Passwords {
 public:
  explicit Passwords(PasswordRules rules, std::size_t at_once = 2);
  ~Passwords();

  const PasswordRules& rules() const { return rules_; }
  // The sentence when the password is not good enough: too short, too simple, or among those everybody tries first.
  std::optional<std::string> objection(std::string_view password) const;
  void require_good(std::string_view password, std::string_view field = "password") const;  // Failure BadRequest at the field

  // Argon2id (19 MiB, 2 passes, 1 lane) in the usual text form.
  std::string hash(std::string_view password);
  // Checks against any form we may hold: Argon2id; bcrypt "$2a$"/"$2b$"; and "salted:<salt>:$2a$…", bcrypt over salt followed
  // by password, as taken over from a Metabase. False for anything else.
  bool verify(std::string_view password, std::string_view stored);
  // Takes as long as verify(): for people who do not exist.
  void spend_time(std::string_view password);

 private:
  const PasswordRules rules_;
  struct Slots;
  std::unique_ptr<Slots> slots_;  // caps how many hashes run at once, and so their memory
};

}  // namespace basalt::session
