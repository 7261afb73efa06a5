#include "session/password_resets.h"

#include "base/crypto.h"
#include "base/random.h"

namespace basalt::session {
namespace {

constexpr auto life = std::chrono::hours(48);

constexpr std::string_view find_token =
    "SELECT r.id, r.person_id FROM password_reset r JOIN person p ON p.id = r.person_id "
    "WHERE r.token_hash = ? AND r.used_at IS NULL AND r.expires_at > ? AND p.is_active = ? AND p.kind = 'personal'";

}  // namespace

std::string PasswordResets::create(PersonId person) {
  auto token = std::to_string(person.value) + "_" + uuid4();
  auto now = clock_.now();
  store_.write([&](appdb::Connection& connection) {
    connection.execute("DELETE FROM password_reset WHERE person_id = ?", {person});
    connection.insert("password_reset", {{"person_id", person}, {"token_hash", sha256_hex(token)}, {"created_at", now}, {"expires_at", now + life}});
  });
  return token;
}

std::optional<PersonId> PasswordResets::person_of(const std::string& token) {
  return store_.read([&](appdb::Connection& connection) -> std::optional<PersonId> {
    auto row = connection.query_one(find_token, {sha256_hex(token), clock_.now(), true});
    return row ? std::optional(row->id<PersonId>("person_id")) : std::nullopt;
  });
}

std::optional<PersonId> PasswordResets::redeem(appdb::Connection& connection, const std::string& token) {
  auto row = connection.query_one(find_token, {sha256_hex(token), clock_.now(), true});
  if (!row) return std::nullopt;
  // Of two at once only one changes the row.
  if (connection.execute("UPDATE password_reset SET used_at = ? WHERE id = ? AND used_at IS NULL", {clock_.now(), row->integer("id")}) == 0) return std::nullopt;
  return row->id<PersonId>("person_id");
}

}  // namespace basalt::session
