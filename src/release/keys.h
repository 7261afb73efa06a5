// Ed25519 and nothing else (RFC 8032), by OpenSSL.
#pragma once
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

namespace basalt::release {

inline constexpr std::size_t public_key_bytes = 32, signature_bytes = 64;

// Whether `signature` (64 bytes) over `message` was made with the private half of `public_key` (32 bytes).
bool is_signed(std::string_view message, std::string_view signature, std::string_view public_key);
// The SHA-256 of the 32 bytes, in hex.
std::string id_of(std::string_view public_key);
// "ab12cd34": the beginning of an id, for sentences.
std::string short_id(std::string_view id);

class PrivateKey {
 public:
  static PrivateKey generate();
  // A PEM file (PKCS#8), as write() and `openssl genpkey -algorithm ed25519` make it. Failure BadRequest when it is none, or others
  // may read it.
  static PrivateKey read(const std::filesystem::path& file);
  // Mode 0600; Failure Conflict when the file exists.
  void write(const std::filesystem::path& file) const;

  std::string sign(std::string_view message) const;
  std::string public_key() const;
  std::string id() const { return id_of(public_key()); }

 private:
  explicit PrivateKey(std::shared_ptr<void> key) : key_(std::move(key)) {}
  std::shared_ptr<void> key_;
};

}  // namespace basalt::release
