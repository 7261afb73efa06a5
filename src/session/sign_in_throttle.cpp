#include "session/sign_in_throttle.h"

#include <cmath>

namespace basalt::session {
namespace {

constexpr auto memory = std::chrono::hours(1);
constexpr int free_for_email = 5, free_for_address = 50;

std::string lower(std::string text) {
  for (char& c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  }
  return text;
}
std::string address_identity(const std::string& address) { return "address:" + address; }

std::chrono::seconds pause_after(std::int64_t failures, int free) {
  if (failures < free) return std::chrono::seconds(0);
  double seconds = 15 * std::pow(1.5, static_cast<double>(std::min<std::int64_t>(failures - free, 20)));
  return std::chrono::seconds(static_cast<std::int64_t>(std::min(seconds, 900.0)));
}

}  // namespace

std::optional<std::chrono::seconds> SignInThrottle::wait(const std::string& email, const std::string& address) {
  auto now = clock_.now();
  std::chrono::seconds longest(0);
  store_.read([&](appdb::Connection& connection) {
    connection.each("SELECT identity, count(*) AS failures, max(failed_at) AS latest FROM sign_in_failure WHERE identity IN (?, ?) AND failed_at > ? GROUP BY identity",
                    {lower(email), address_identity(address), now - memory}, [&](const appdb::Row& row) {
                      bool is_address = row.text("identity").starts_with("address:");
                      auto until = row.time("latest") + pause_after(row.integer("failures"), is_address ? free_for_address : free_for_email);
                      if (until > now) longest = std::max(longest, std::chrono::ceil<std::chrono::seconds>(until - now));
                    });
  });
  if (longest.count() == 0) return std::nullopt;
  return longest;
}

void SignInThrottle::failed(const std::string& email, const std::string& address) {
  auto now = clock_.now();
  store_.write([&](appdb::Connection& connection) {
    connection.execute("DELETE FROM sign_in_failure WHERE failed_at < ?", {now - memory});
    connection.insert("sign_in_failure", {{"identity", lower(email).substr(0, 254)}, {"failed_at", now}});
    connection.insert("sign_in_failure", {{"identity", address_identity(address)}, {"failed_at", now}});
  });
}

void SignInThrottle::succeeded(const std::string& email) {
  bool any = store_.read([&](appdb::Connection& connection) { return connection.count("SELECT count(*) FROM sign_in_failure WHERE identity = ?", {lower(email)}) > 0; });
  if (any) store_.write([&](appdb::Connection& connection) { connection.execute("DELETE FROM sign_in_failure WHERE identity = ?", {lower(email)}); });
}

std::string SignInThrottle::sentence(std::chrono::seconds wait) {
  return "Too many attempts! You must wait " + std::to_string(wait.count()) + " second" + (wait.count() == 1 ? "" : "s") + " before trying again.";
}

}  // namespace basalt::session
