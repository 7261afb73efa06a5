#include "upgrade/seal.h"

#include <argon2.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <zstd.h>

#include <algorithm>
#include <cstring>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "base/crypto.h"
#include "base/failure.h"
#include "base/random.h"
#include "upgrade/files.h"
#include "upgrade/raw_file.h"

namespace basalt::upgrade {
namespace {

constexpr std::uint32_t plain_frame = 0x184D2A50, sealed_frame = 0x184D2A51;
constexpr std::size_t digest_size = 32, seal_size = 2 * sizeof(std::uint32_t) + digest_size;
constexpr std::size_t piece_size = 256 << 10, tag_size = 16;
constexpr std::size_t longest_head = 64u << 20;

class Digest {
 public:
  Digest() : context_(EVP_MD_CTX_new()) { EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr); }
  void add(const void* bytes, std::size_t count) { EVP_DigestUpdate(context_.get(), bytes, count); }
  std::string result() {
    std::string out(digest_size, '\0');
    unsigned length = 0;
    EVP_DigestFinal_ex(context_.get(), reinterpret_cast<unsigned char*>(out.data()), &length);
    return out;
  }

 private:
  struct Free { void operator()(EVP_MD_CTX* c) const { EVP_MD_CTX_free(c); } };
  std::unique_ptr<EVP_MD_CTX, Free> context_;
};

// ---- The passphrase

struct Derivation {
  std::uint32_t memory_kib = 0, passes = 0, lanes = 1;
  std::string salt;
};

struct Keys { std::string pieces, check; };

Keys keys_from(const std::string& passphrase, const Derivation& d) {
  std::string master(32, '\0');
  if (argon2id_hash_raw(d.passes, d.memory_kib, d.lanes, passphrase.data(), passphrase.size(), d.salt.data(), d.salt.size(), master.data(), master.size()) != ARGON2_OK)
    throw Failure(FailureKind::Unavailable, "The key of the backup could not be derived from the passphrase; there may be too little memory.");
  return {hmac_sha256(master, "basalt backup pieces"), hmac_sha256(master, "basalt backup check").substr(0, 16)};
}

// Seals and opens the pieces of one file, in order.
class Pieces {
 public:
  Pieces(std::string key, std::string_view head) : key_(std::move(key)), associated_(sha256(head)), context_(EVP_CIPHER_CTX_new()) {}

  std::string seal(std::string_view plain, bool last) {
    std::string out(plain.size() + tag_size, '\0');
    auto nonce = next_nonce(last);
    int length = 0;
    auto* c = context_.get();
    bool good = EVP_EncryptInit_ex(c, EVP_aes_256_gcm(), nullptr, bytes(key_), bytes(nonce)) == 1 &&
                EVP_EncryptUpdate(c, nullptr, &length, bytes(associated_), static_cast<int>(associated_.size())) == 1 &&
                EVP_EncryptUpdate(c, bytes(out), &length, bytes(plain), static_cast<int>(plain.size())) == 1 && EVP_EncryptFinal_ex(c, bytes(out) + length, &length) == 1 &&
                EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_GCM_GET_TAG, static_cast<int>(tag_size), out.data() + plain.size()) == 1;
    if (!good) throw Failure(FailureKind::Bug, "The backup could not be encrypted.");
    return out;
  }

  std::optional<std::string> open(std::string_view sealed, bool last) {
    if (sealed.size() < tag_size) return std::nullopt;
    std::string out(sealed.size() - tag_size, '\0'), tag(sealed.substr(out.size()));
    auto nonce = next_nonce(last);
    int length = 0;
    auto* c = context_.get();
    bool good = EVP_DecryptInit_ex(c, EVP_aes_256_gcm(), nullptr, bytes(key_), bytes(nonce)) == 1 &&
                EVP_DecryptUpdate(c, nullptr, &length, bytes(associated_), static_cast<int>(associated_.size())) == 1 &&
                EVP_DecryptUpdate(c, bytes(out), &length, bytes(sealed), static_cast<int>(out.size())) == 1 &&
                EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_GCM_SET_TAG, static_cast<int>(tag_size), tag.data()) == 1 && EVP_DecryptFinal_ex(c, bytes(out) + length, &length) == 1;
    if (!good) return std::nullopt;
    return out;
  }

 private:
  struct Free { void operator()(EVP_CIPHER_CTX* c) const { EVP_CIPHER_CTX_free(c); } };
  static unsigned char* bytes(std::string& s) { return reinterpret_cast<unsigned char*>(s.data()); }
  static const unsigned char* bytes(std::string_view s) { return reinterpret_cast<const unsigned char*>(s.data()); }
  // A counter never repeats under a key that is only this file's.
  std::string next_nonce(bool last) {
    std::string out(12, '\0');
    for (int i = 0; i < 8; ++i) out[static_cast<std::size_t>(10 - i)] = static_cast<char>(counter_ >> (8 * i));
    ++counter_;
    out[11] = last ? 1 : 0;
    return out;
  }

  std::string key_, associated_;
  std::uint64_t counter_ = 0;
  std::unique_ptr<EVP_CIPHER_CTX, Free> context_;
};

// ---- Reading

struct Layout { std::string head; std::uintmax_t payload = 0, end = 0; };

Failure damaged(const std::filesystem::path& file, const std::string& how) { return Failure(FailureKind::BadRequest, file.string() + " is no Basalt backup, or is damaged: " + how + "."); }

bool read_full(RawFile& in, void* to, std::size_t count) {
  std::size_t have = 0;
  while (have < count) {
    auto got = in.read(static_cast<char*>(to) + have, count - have);
    if (got == 0) return false;
    have += got;
  }
  return true;
}

std::string read_head(RawFile& in, const std::filesystem::path& file) {
  std::uint32_t words[2] = {};
  if (!read_full(in, words, sizeof words) || words[0] != plain_frame || words[1] > longest_head) throw Failure(FailureKind::BadRequest, file.string() + " is no Basalt backup.");
  std::error_code error;
  if (auto size = std::filesystem::file_size(file, error); !error && size < words[1]) throw Failure(FailureKind::BadRequest, file.string() + " is no complete Basalt backup: it ends too early.");
  std::string head(words[1], '\0');
  if (!read_full(in, head.data(), head.size())) throw Failure(FailureKind::BadRequest, file.string() + " is no complete Basalt backup: it ends too early.");
  return head;
}

// Where the payload is; the digest at the end fits what is before it, so that a changed bit is noticed wherever it is.
Layout layout_of(const std::filesystem::path& file) {
  std::error_code error;
  RawFile in(file, O_RDONLY);
  auto size = std::filesystem::file_size(file, error);
  Layout out;
  out.head = read_head(in, file);
  out.payload = 2 * sizeof(std::uint32_t) + out.head.size();
  if (error || size < out.payload + seal_size) throw Failure(FailureKind::BadRequest, file.string() + " is no complete Basalt backup: it ends too early.");
  out.end = size - seal_size;
  in.seek(0);
  Digest digest;
  std::vector<char> part(1 << 18);
  for (auto left = out.end; left > 0;) {
    auto got = in.read(part.data(), static_cast<std::size_t>(std::min<std::uintmax_t>(part.size(), left)));
    if (got == 0) break;
    digest.add(part.data(), got);
    left -= got;
  }
  std::uint32_t words[2] = {};
  std::string stored(digest_size, '\0');
  if (!read_full(in, words, sizeof words) || !read_full(in, stored.data(), stored.size()) || words[0] != plain_frame || words[1] != digest_size || stored != digest.result())
    throw damaged(file, "its digest does not fit");
  return out;
}

std::optional<Derivation> derivation_in(const std::filesystem::path& file, const json::value& head, std::string& check) {
  auto* encryption = json::find(head, "encryption");
  if (!encryption) return std::nullopt;
  Derivation d;
  auto number = [&](const char* key, std::int64_t least, std::int64_t most) {
    auto n = json::integer(*encryption, key).value_or(-1);
    if (n < least || n > most) throw damaged(file, "its encryption is described in a way that this version does not know");
    return static_cast<std::uint32_t>(n);
  };
  // Bounded, so that a file cannot ask for all memory or a day of work.
  d.memory_kib = number("memory_kib", 8, 1 << 20);
  d.passes = number("passes", 1, 16);
  d.lanes = number("lanes", 1, 16);
  d.salt = from_base64(json::text(*encryption, "salt").value_or("")).value_or("");
  check = from_base64(json::text(*encryption, "check").value_or("")).value_or("");
  if (json::text(*encryption, "cipher") != "aes-256-gcm" || json::text(*encryption, "derivation") != "argon2id" || d.salt.size() < 8 || d.salt.size() > 64 || d.memory_kib < 8 * d.lanes)
    throw damaged(file, "its encryption is described in a way that this version does not know");
  return d;
}

}  // namespace

void pack(const std::filesystem::path& from, const std::filesystem::path& to, json::object head, const std::string& passphrase, const PassphraseCost& cost) {
  RawFile in(from, O_RDONLY), out(to, O_WRONLY | O_CREAT | O_TRUNC);
  Digest digest;
  auto put = [&](const void* bytes, std::size_t count) {
    digest.add(bytes, count);
    out.write(bytes, count);
  };
  auto put_frame = [&](std::uint32_t magic, std::string_view content) {
    std::uint32_t words[2] = {magic, static_cast<std::uint32_t>(content.size())};  // little-endian, as all we run on
    put(words, sizeof words);
    put(content.data(), content.size());
  };
  std::optional<Keys> keys;
  if (!passphrase.empty()) {
    Derivation d{cost.memory_kib, cost.passes, 1, random_bytes(16)};
    keys = keys_from(passphrase, d);
    head["encryption"] = json::object{{"cipher", "aes-256-gcm"}, {"derivation", "argon2id"}, {"memory_kib", d.memory_kib}, {"passes", d.passes}, {"lanes", d.lanes}, {"salt", base64(d.salt)}, {"check", base64(keys->check)}};
  }
  auto head_text = json::write(head);
  put_frame(plain_frame, head_text);
  std::optional<Pieces> pieces;
  if (keys) pieces.emplace(keys->pieces, head_text);
  std::string waiting;  // a piece goes out when it is known whether it is the last
  auto payload = [&](const char* bytes, std::size_t count) {
    if (!pieces) return put(bytes, count);
    waiting.append(bytes, count);
    while (waiting.size() > piece_size) {
      put_frame(sealed_frame, pieces->seal(std::string_view(waiting).substr(0, piece_size), false));
      waiting.erase(0, piece_size);
    }
  };

  auto* context = ZSTD_createCCtx();
  struct Free { ZSTD_CCtx* c; ~Free() { ZSTD_freeCCtx(c); } } free{context};
  ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, 1);
  ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1);
  // Where the library has no threads of its own this is refused, and that is fine.
  if (auto cores = std::thread::hardware_concurrency(); cores > 1) ZSTD_CCtx_setParameter(context, ZSTD_c_nbWorkers, static_cast<int>(std::min(cores, 4u)));
  auto size = std::filesystem::file_size(from);
  ZSTD_CCtx_setPledgedSrcSize(context, size);
  std::vector<char> input(1 << 18), output(ZSTD_CStreamOutSize());
  for (;;) {
    auto got = in.read(input.data(), input.size());
    bool last = got == 0;
    ZSTD_inBuffer source{input.data(), got, 0};
    for (;;) {
      ZSTD_outBuffer target{output.data(), output.size(), 0};
      auto left = ZSTD_compressStream2(context, &target, &source, last ? ZSTD_e_end : ZSTD_e_continue);
      if (ZSTD_isError(left)) throw Failure(FailureKind::Bug, "The backup could not be compressed.").with_details(ZSTD_getErrorName(left));
      payload(output.data(), target.pos);
      if (last ? left == 0 : source.pos == source.size) break;
    }
    if (last) break;
  }
  if (pieces) put_frame(sealed_frame, pieces->seal(waiting, true));
  auto sum = digest.result();
  std::uint32_t words[2] = {plain_frame, static_cast<std::uint32_t>(sum.size())};
  out.write(words, sizeof words);
  out.write(sum.data(), sum.size());
  out.sync();
}

void unpack(const std::filesystem::path& from, const std::filesystem::path& to, const std::string& passphrase) {
  auto layout = layout_of(from);
  RawFile in(from, O_RDONLY);
  in.seek(layout.payload);
  auto left = layout.end - layout.payload;
  auto head = json::try_parse(layout.head);
  if (!head || !head->is_object()) throw damaged(from, "its head cannot be read");
  std::string check;
  std::optional<Pieces> pieces;
  if (auto derivation = derivation_in(from, *head, check)) {
    if (passphrase.empty())
      throw Failure(FailureKind::BadRequest, "The backup " + from.string() + " is encrypted; give its passphrase with --passphrase-file or BASALT_BACKUP_PASSPHRASE.").with_error_type("passphrase-needed");
    auto keys = keys_from(passphrase, *derivation);
    if (!equal_in_constant_time(keys.check, check)) throw Failure(FailureKind::BadRequest, "The passphrase is not the one that the backup " + from.string() + " was made with.").with_error_type("passphrase-wrong");
    pieces.emplace(keys.pieces, layout.head);
  }
  std::vector<char> part(1 << 18);
  std::string opened;
  // The next bytes of the zstd frame; empty at its end.
  auto next = [&]() -> std::string_view {
    if (left == 0) return {};
    if (!pieces) {
      auto got = in.read(part.data(), static_cast<std::size_t>(std::min<std::uintmax_t>(part.size(), left)));
      if (got == 0) throw damaged(from, "it ends too early");
      left -= got;
      return {part.data(), got};
    }
    std::uint32_t words[2] = {};
    if (left < sizeof words || !read_full(in, words, sizeof words) || words[0] != sealed_frame || words[1] > piece_size + tag_size || words[1] > left - sizeof words)
      throw damaged(from, "a piece of it has another form");
    std::string sealed(words[1], '\0');
    if (!read_full(in, sealed.data(), sealed.size())) throw damaged(from, "it ends too early");
    left -= sizeof words + sealed.size();
    auto plain = pieces->open(sealed, left == 0);
    // The last piece says that it is: a file that was cut between two pieces does not pass.
    if (!plain) throw damaged(from, "a piece of it was changed, or its end is missing");
    opened = std::move(*plain);
    if (opened.empty() && left > 0) throw damaged(from, "a piece of it is empty");
    return opened;
  };

  RawFile out(to, O_WRONLY | O_CREAT | O_TRUNC);
  auto* context = ZSTD_createDCtx();
  struct Free { ZSTD_DCtx* c; ~Free() { ZSTD_freeDCtx(c); } } free{context};
  std::vector<char> output(1 << 18);
  std::size_t wanted = 1;
  std::uintmax_t written = 0, announced = 0;
  bool first = true, any = false;
  for (auto bytes = next(); !bytes.empty(); bytes = next()) {
    if (first) {
      // Said by the frame itself, so that a small file cannot fill the disk.
      auto size = ZSTD_getFrameContentSize(bytes.data(), bytes.size());
      if (size == ZSTD_CONTENTSIZE_UNKNOWN || size == ZSTD_CONTENTSIZE_ERROR) throw damaged(from, "it does not hold one zstd frame of a known size");
      announced = size;
      require_space(to.parent_path(), static_cast<std::int64_t>(std::min<std::uintmax_t>(announced, INT64_MAX)), "the opened backup");
      first = false;
    }
    ZSTD_inBuffer source{bytes.data(), bytes.size(), 0};
    while (source.pos < source.size) {
      if (any && wanted == 0) throw damaged(from, "something follows its end");
      ZSTD_outBuffer target{output.data(), output.size(), 0};
      wanted = ZSTD_decompressStream(context, &target, &source);
      if (ZSTD_isError(wanted)) throw damaged(from, ZSTD_getErrorName(wanted));
      written += target.pos;
      if (written > announced) throw damaged(from, "it holds more than it says");
      out.write(output.data(), target.pos);
      any = true;
    }
    // What the output had no room for.
    while (wanted > 0) {
      ZSTD_inBuffer none{nullptr, 0, 0};
      ZSTD_outBuffer target{output.data(), output.size(), 0};
      wanted = ZSTD_decompressStream(context, &target, &none);
      if (ZSTD_isError(wanted)) throw damaged(from, ZSTD_getErrorName(wanted));
      if (target.pos == 0) break;
      written += target.pos;
      if (written > announced) throw damaged(from, "it holds more than it says");
      out.write(output.data(), target.pos);
    }
  }
  if (wanted != 0 || !any || written != announced) throw Failure(FailureKind::BadRequest, from.string() + " is no complete Basalt backup: it ends too early.");
}

std::string read_head(const std::filesystem::path& file) {
  RawFile in(file, O_RDONLY);
  return read_head(in, file);
}

std::string digest_in(const std::filesystem::path& file) {
  std::error_code error;
  auto size = std::filesystem::file_size(file, error);
  if (error || size < seal_size) return {};
  RawFile in(file, O_RDONLY);
  in.seek(size - seal_size);
  std::uint32_t words[2] = {};
  std::string out(digest_size, '\0');
  if (!read_full(in, words, sizeof words) || !read_full(in, out.data(), out.size()) || words[0] != plain_frame || words[1] != digest_size) return {};
  return hex(out);
}

}  // namespace basalt::upgrade
