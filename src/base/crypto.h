// Hashes, encodings, and secrets at rest (OpenSSL 3).
#pragma once
#include <optional>
#include <string>
#include <string_view>

namespace basalt {

std::string sha256(std::string_view bytes);        // 32 bytes
std::string sha256_hex(std::string_view bytes);
// The same of what comes in pieces.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(const Sha256&) = delete;
  void add(std::string_view bytes);
  std::string finish();  // 32 bytes; nothing may be added afterwards

 private:
  void* state_;
};
std::string hmac_sha256(std::string_view key, std::string_view bytes);
std::string base64(std::string_view bytes);                               // with padding
std::optional<std::string> from_base64(std::string_view text);            // also the URL alphabet, padding optional
std::string hex(std::string_view bytes);
bool equal_in_constant_time(std::string_view a, std::string_view b);

// Secrets at rest: AES-256-GCM under a key derived from the given secret (MB_ENCRYPTION_SECRET_KEY, BASALT_ENCRYPTION_SECRET_KEY)
// by PBKDF2-HMAC-SHA512, as text "basalt:1:" + base64(nonce, ciphertext, tag). Without a key text is stored as it is.
class Sealer {
 public:
  explicit Sealer(std::optional<std::string> secret);  // derivation takes about 100 ms, done here; secret of 16 characters or more
  bool has_key() const { return key_.has_value(); }
  std::string seal(const std::string& text) const;
  // Opens what seal() made; text that was never sealed comes back as it is. Failure Unavailable with a sentence when it was
  // sealed and the key is missing or another one.
  std::string open(const std::string& stored) const;
  static bool is_sealed(std::string_view stored);
  // A short value that tells keys apart without telling the key; kept with the data so that a wrong key is noticed at start.
  std::string check_value() const;

 private:
  std::optional<std::string> key_;
};

}  // namespace basalt
