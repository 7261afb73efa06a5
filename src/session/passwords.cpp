#include "session/passwords.h"

#include <argon2.h>
#include <crypt.h>

#include <condition_variable>

#include "base/crypto.h"
#include "base/failure.h"
#include "base/random.h"
#include "session/common_passwords.h"

namespace basalt::session {
namespace {

constexpr std::uint32_t passes = 2, memory_kb = 19 << 10, lanes = 1;
constexpr std::size_t salt_bytes = 16, hash_bytes = 32;
constexpr std::size_t longest = 1024;  // nobody types more; a hash over megabytes would be a way to keep us busy

bool verify_bcrypt(const std::string& password, const std::string& stored) {
  // bcrypt reads up to a NUL: a password that has one cannot have been made by it.
  if (password.find('\0') != std::string::npos) return false;
  auto data = std::make_unique<crypt_data>();
  const char* made = crypt_r(password.c_str(), stored.c_str(), data.get());
  return made && made[0] != '*' && equal_in_constant_time(made, stored);
}

std::string count_of(int count, const char* what) { return std::to_string(count) + " " + what + (count == 1 ? "" : "s"); }

}  // namespace

PasswordRules PasswordRules::from(std::string_view complexity, std::optional<int> length) {
  PasswordRules rules;
  if (complexity == "weak") rules = {.total = 6, .digit = 0};
  else if (complexity == "normal" || complexity.empty()) rules = {.total = 6, .digit = 1};
  else if (complexity == "strong") rules = {.total = 8, .lower = 2, .upper = 2, .digit = 1, .special = 1};
  else throw Failure(FailureKind::BadRequest, "The password complexity is weak, normal or strong, not \"" + std::string(complexity) + "\".");
  if (length) rules.total = *length;
  return rules;
}

json::object PasswordRules::to_json() const {
  json::object out{{"total", total}};
  if (lower) out["lower"] = lower;
  if (upper) out["upper"] = upper;
  if (digit) out["digit"] = digit;
  if (special) out["special"] = special;
  return out;
}

struct Passwords::Slots {
  explicit Slots(std::size_t count) : free(count) {}
  std::mutex mutex;
  std::condition_variable freed;
  std::size_t free;  // GUARDED_BY(mutex)
};

namespace {

// One of the few places where a hash may run; waits for it.
template <class Slots>
class Slot {
 public:
  explicit Slot(Slots& slots) : slots_(slots) {
    std::unique_lock lock(slots_.mutex);
    slots_.freed.wait(lock, [this] { return slots_.free > 0; });
    --slots_.free;
  }
  ~Slot() {
    { std::lock_guard lock(slots_.mutex); ++slots_.free; }
    slots_.freed.notify_one();
  }

 private:
  Slots& slots_;
};

}  // namespace

Passwords::Passwords(PasswordRules rules, std::size_t at_once)
    : rules_(rules), slots_(std::make_unique<Slots>(std::max<std::size_t>(1, at_once))) {}

Passwords::~Passwords() = default;

std::optional<std::string> Passwords::objection(std::string_view password) const {
  if (password.size() > longest) return "A password has at most " + std::to_string(longest) + " characters.";
  int total = 0, lower = 0, upper = 0, digit = 0, special = 0;
  for (unsigned char c : password) {
    if ((c & 0xC0) == 0x80) continue;  // the later bytes of a character
    ++total;
    if (c >= 'a' && c <= 'z') ++lower;
    else if (c >= 'A' && c <= 'Z') ++upper;
    else if (c >= '0' && c <= '9') ++digit;
    else ++special;
  }
  std::vector<std::string> wanted;
  if (total < rules_.total) wanted.push_back(count_of(rules_.total, "character"));
  if (lower < rules_.lower) wanted.push_back(count_of(rules_.lower, "lower-case letter"));
  if (upper < rules_.upper) wanted.push_back(count_of(rules_.upper, "upper-case letter"));
  if (digit < rules_.digit) wanted.push_back(count_of(rules_.digit, "digit"));
  if (special < rules_.special) wanted.push_back(count_of(rules_.special, "special character"));
  if (!wanted.empty()) {
    std::string sentence = "password needs at least ";
    for (std::size_t i = 0; i < wanted.size(); ++i) sentence += (i == 0 ? "" : i + 1 == wanted.size() ? " and " : ", ") + wanted[i];
    return sentence + ".";
  }
  if (is_common_password(password)) return "password is too common.";
  return std::nullopt;
}

void Passwords::require_good(std::string_view password, std::string_view field) const {
  if (auto sentence = objection(password)) throw bad_field(std::string(field), *sentence);
}

std::string Passwords::hash(std::string_view password) {
  Slot slot(*slots_);
  auto salt = random_bytes(salt_bytes);
  std::string encoded(argon2_encodedlen(passes, memory_kb, lanes, salt_bytes, hash_bytes, Argon2_id), 0);
  int result = argon2id_hash_encoded(passes, memory_kb, lanes, password.data(), password.size(), salt.data(), salt.size(), hash_bytes, encoded.data(), encoded.size());
  if (result != ARGON2_OK) throw Failure(FailureKind::Unavailable, "The password cannot be hashed now: the server is short of memory.").with_details(argon2_error_message(result));
  encoded.resize(std::strlen(encoded.c_str()));
  return encoded;
}

bool Passwords::verify(std::string_view password, std::string_view stored) {
  if (password.size() > longest) return false;
  Slot slot(*slots_);
  std::string text(stored);
  if (stored.starts_with("$argon2id$")) return argon2id_verify(text.c_str(), password.data(), password.size()) == ARGON2_OK;
  if (stored.starts_with("$2")) return verify_bcrypt(std::string(password), text);
  if (stored.starts_with("salted:")) {
    auto colon = stored.find(':', 7);
    if (colon == std::string_view::npos) return false;
    return verify_bcrypt(std::string(stored.substr(7, colon - 7)) + std::string(password), std::string(stored.substr(colon + 1)));
  }
  return false;
}

void Passwords::spend_time(std::string_view password) {
  if (password.size() > longest) return;
  Slot slot(*slots_);
  static constexpr char salt[salt_bytes + 1] = "nobody has this.";
  std::array<char, hash_bytes> unused;
  argon2id_hash_raw(passes, memory_kb, lanes, password.data(), password.size(), salt, salt_bytes, unused.data(), unused.size());
}

}  // namespace basalt::session
