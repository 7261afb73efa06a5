#include "base/crypto.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>

#include <memory>

#include "base/failure.h"
#include "base/random.h"

namespace basalt {
namespace {

constexpr std::string_view seal_prefix = "basalt:1:";
constexpr std::size_t nonce_size = 12, tag_size = 16, key_size = 32;

unsigned char* bytes_of(std::string& text) { return reinterpret_cast<unsigned char*>(text.data()); }
const unsigned char* bytes_of(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }

struct FreeCipher { void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); } };
using Cipher = std::unique_ptr<EVP_CIPHER_CTX, FreeCipher>;

void demand(bool worked) {
  if (!worked) throw Failure(FailureKind::Bug, "Encryption failed.");
}

}  // namespace

std::string sha256(std::string_view bytes) {
  static EVP_MD* const algorithm = EVP_MD_fetch(nullptr, "SHA256", nullptr);  // looking it up costs more than a short hash
  std::string out(SHA256_DIGEST_LENGTH, '\0');
  demand(algorithm && EVP_Digest(bytes.data(), bytes.size(), bytes_of(out), nullptr, algorithm, nullptr) == 1);
  return out;
}

Sha256::Sha256() : state_(EVP_MD_CTX_new()) { demand(state_ && EVP_DigestInit_ex(static_cast<EVP_MD_CTX*>(state_), EVP_sha256(), nullptr) == 1); }
Sha256::~Sha256() { EVP_MD_CTX_free(static_cast<EVP_MD_CTX*>(state_)); }
void Sha256::add(std::string_view bytes) { demand(EVP_DigestUpdate(static_cast<EVP_MD_CTX*>(state_), bytes.data(), bytes.size()) == 1); }
std::string Sha256::finish() {
  std::string out(SHA256_DIGEST_LENGTH, '\0');
  demand(EVP_DigestFinal_ex(static_cast<EVP_MD_CTX*>(state_), bytes_of(out), nullptr) == 1);
  return out;
}

std::string hex(std::string_view bytes) {
  static constexpr char digits[] = "0123456789abcdef";
  std::string out;
  out.reserve(bytes.size() * 2);
  for (unsigned char c : bytes) { out += digits[c >> 4]; out += digits[c & 15]; }
  return out;
}

std::string sha256_hex(std::string_view bytes) { return hex(sha256(bytes)); }

std::string hmac_sha256(std::string_view key, std::string_view bytes) {
  std::string out(SHA256_DIGEST_LENGTH, '\0');
  unsigned length = 0;
  demand(HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), bytes_of(bytes), bytes.size(), bytes_of(out), &length) != nullptr);
  return out;
}

std::string base64(std::string_view bytes) {
  std::string out(4 * ((bytes.size() + 2) / 3) + 1, '\0');
  int length = EVP_EncodeBlock(bytes_of(out), bytes_of(bytes), static_cast<int>(bytes.size()));
  out.resize(static_cast<std::size_t>(length));
  return out;
}

std::optional<std::string> from_base64(std::string_view text) {
  std::string out;
  std::uint32_t bits = 0;
  int count = 0;
  while (!text.empty() && text.back() == '=') text.remove_suffix(1);
  for (char c : text) {
    int v;
    if (c >= 'A' && c <= 'Z') v = c - 'A';
    else if (c >= 'a' && c <= 'z') v = c - 'a' + 26;
    else if (c >= '0' && c <= '9') v = c - '0' + 52;
    else if (c == '+' || c == '-') v = 62;
    else if (c == '/' || c == '_') v = 63;
    else return std::nullopt;
    bits = (bits << 6) | static_cast<std::uint32_t>(v);
    count += 6;
    if (count >= 8) {
      count -= 8;
      out += static_cast<char>((bits >> count) & 0xff);
    }
  }
  if (count >= 6) return std::nullopt;  // a single left-over digit carries no whole byte
  return out;
}

bool equal_in_constant_time(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

Sealer::Sealer(std::optional<std::string> secret) {
  if (!secret || secret->empty()) return;
  if (secret->size() < 16)
    throw Failure(FailureKind::BadRequest, "The encryption key must have at least 16 characters; it has " + std::to_string(secret->size()) + ".");
  std::string key(key_size, '\0');
  // The salt is fixed: the same secret must open the data on every node. Strength comes from the secret itself.
  static constexpr std::string_view salt = "basalt application database";
  demand(PKCS5_PBKDF2_HMAC(secret->data(), static_cast<int>(secret->size()), bytes_of(salt), static_cast<int>(salt.size()), 100'000, EVP_sha512(),
                           static_cast<int>(key_size), bytes_of(key)) == 1);
  key_ = std::move(key);
}

bool Sealer::is_sealed(std::string_view stored) { return stored.starts_with(seal_prefix); }

std::string Sealer::seal(const std::string& text) const {
  if (!key_) return text;
  auto nonce = random_bytes(nonce_size);
  Cipher cipher(EVP_CIPHER_CTX_new());
  demand(cipher && EVP_EncryptInit_ex(cipher.get(), EVP_aes_256_gcm(), nullptr, bytes_of(std::string_view(*key_)), bytes_of(std::string_view(nonce))) == 1);
  std::string out(text.size() + tag_size, '\0');
  int length = 0, final_length = 0;
  demand(EVP_EncryptUpdate(cipher.get(), bytes_of(out), &length, bytes_of(std::string_view(text)), static_cast<int>(text.size())) == 1);
  demand(EVP_EncryptFinal_ex(cipher.get(), bytes_of(out) + length, &final_length) == 1);
  out.resize(static_cast<std::size_t>(length + final_length));
  std::string tag(tag_size, '\0');
  demand(EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_GCM_GET_TAG, static_cast<int>(tag_size), tag.data()) == 1);
  return std::string(seal_prefix) + base64(nonce + out + tag);
}

std::string Sealer::open(const std::string& stored) const {
  if (!is_sealed(stored)) return stored;
  if (!key_)
    throw Failure(FailureKind::Unavailable,
                  "This application database holds encrypted secrets, and no key was given. Set BASALT_ENCRYPTION_SECRET_KEY (or MB_ENCRYPTION_SECRET_KEY) to the key it was written with.");
  auto bytes = from_base64(std::string_view(stored).substr(seal_prefix.size()));
  Failure wrong(FailureKind::Unavailable, "The encryption key is not the one this application database was written with. Set BASALT_ENCRYPTION_SECRET_KEY to that key.");
  if (!bytes || bytes->size() < nonce_size + tag_size) throw wrong;
  std::string_view all(*bytes), nonce = all.substr(0, nonce_size), sealed = all.substr(nonce_size, all.size() - nonce_size - tag_size);
  std::string tag(all.substr(all.size() - tag_size)), out(sealed.size() + 1, '\0');
  Cipher cipher(EVP_CIPHER_CTX_new());
  demand(cipher && EVP_DecryptInit_ex(cipher.get(), EVP_aes_256_gcm(), nullptr, bytes_of(std::string_view(*key_)), bytes_of(nonce)) == 1);
  int length = 0, final_length = 0;
  demand(EVP_DecryptUpdate(cipher.get(), bytes_of(out), &length, bytes_of(sealed), static_cast<int>(sealed.size())) == 1);
  demand(EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_GCM_SET_TAG, static_cast<int>(tag_size), tag.data()) == 1);
  if (EVP_DecryptFinal_ex(cipher.get(), bytes_of(out) + length, &final_length) != 1) throw wrong;
  out.resize(static_cast<std::size_t>(length + final_length));
  return out;
}

std::string Sealer::check_value() const { return key_ ? hex(hmac_sha256(*key_, "key check")).substr(0, 16) : ""; }

}  // namespace basalt
