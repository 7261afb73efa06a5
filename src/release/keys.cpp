#include "release/keys.h"

#include <fcntl.h>
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>

#include "base/crypto.h"
#include "base/failure.h"

namespace basalt::release {
namespace {

struct Free {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};
using Key = std::unique_ptr<EVP_PKEY, Free>;
using Context = std::unique_ptr<EVP_MD_CTX, Free>;

const unsigned char* bytes_of(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }

void demand(bool worked) {
  if (!worked) throw Failure(FailureKind::Bug, "Signing failed.");
}

struct File {
  std::FILE* stream;
  explicit File(std::FILE* s) : stream(s) {}
  ~File() { if (stream) std::fclose(stream); }
  File(const File&) = delete;
};

}  // namespace

bool is_signed(std::string_view message, std::string_view signature, std::string_view public_key) {
  if (signature.size() != signature_bytes || public_key.size() != public_key_bytes) return false;
  Key key(EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, bytes_of(public_key), public_key.size()));
  Context context(EVP_MD_CTX_new());
  return key && context && EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, key.get()) == 1 &&
         EVP_DigestVerify(context.get(), bytes_of(signature), signature.size(), bytes_of(message), message.size()) == 1;
}

std::string id_of(std::string_view public_key) { return sha256_hex(public_key); }
std::string short_id(std::string_view id) { return std::string(id.substr(0, 8)); }

PrivateKey PrivateKey::generate() {
  std::shared_ptr<void> key(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"), [](void* k) { EVP_PKEY_free(static_cast<EVP_PKEY*>(k)); });
  demand(key != nullptr);
  return PrivateKey(std::move(key));
}

PrivateKey PrivateKey::read(const std::filesystem::path& file) {
  int descriptor = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
  File in(descriptor < 0 ? nullptr : ::fdopen(descriptor, "rb"));
  struct stat info {};
  if (!in.stream || ::fstat(descriptor, &info) != 0 || !S_ISREG(info.st_mode)) throw Failure(FailureKind::BadRequest, "The key file " + file.string() + " cannot be read.");
  if (info.st_mode & 077) throw Failure(FailureKind::BadRequest, "Others may read the private key " + file.string() + "; chmod 600 it, and replace the key if anybody did.");
  // A passphrase is asked for on the terminal by OpenSSL itself.
  std::shared_ptr<void> key(PEM_read_PrivateKey(in.stream, nullptr, nullptr, nullptr), [](void* k) { EVP_PKEY_free(static_cast<EVP_PKEY*>(k)); });
  if (!key || EVP_PKEY_get_base_id(static_cast<EVP_PKEY*>(key.get())) != EVP_PKEY_ED25519)
    throw Failure(FailureKind::BadRequest, "The file " + file.string() + " holds no Ed25519 private key in PEM form.");
  return PrivateKey(std::move(key));
}

void PrivateKey::write(const std::filesystem::path& file) const {
  int descriptor = ::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (descriptor < 0) throw Failure(FailureKind::Conflict, "The key file " + file.string() + " exists already or cannot be made; a key is never written over.");
  File out(::fdopen(descriptor, "wb"));
  demand(out.stream && PEM_write_PrivateKey(out.stream, static_cast<EVP_PKEY*>(key_.get()), nullptr, nullptr, 0, nullptr, nullptr) == 1 && std::fflush(out.stream) == 0 && ::fsync(descriptor) == 0);
}

std::string PrivateKey::sign(std::string_view message) const {
  Context context(EVP_MD_CTX_new());
  std::string out(signature_bytes, '\0');
  std::size_t size = out.size();
  demand(context && EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, static_cast<EVP_PKEY*>(key_.get())) == 1 &&
         EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(out.data()), &size, bytes_of(message), message.size()) == 1 && size == signature_bytes);
  return out;
}

std::string PrivateKey::public_key() const {
  std::string out(public_key_bytes, '\0');
  std::size_t size = out.size();
  demand(EVP_PKEY_get_raw_public_key(static_cast<EVP_PKEY*>(key_.get()), reinterpret_cast<unsigned char*>(out.data()), &size) == 1 && size == public_key_bytes);
  return out;
}

}  // namespace basalt::release
