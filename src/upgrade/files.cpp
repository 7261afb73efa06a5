#include "upgrade/files.h"

#include <fcntl.h>
#include <sys/statvfs.h>
#include <unistd.h>
#include <zstd.h>

#include <openssl/evp.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <memory>
#include <vector>

#include "base/failure.h"

namespace basalt::upgrade {
namespace {

constexpr std::uint32_t skippable = 0x184D2A50;

class File {
 public:
  File(const std::filesystem::path& path, int flags) : path_(path), descriptor_(::open(path.c_str(), flags | O_CLOEXEC, 0600)) {
    if (descriptor_ < 0) fail(flags & O_CREAT ? "written" : "read");
  }
  ~File() { ::close(descriptor_); }
  File(const File&) = delete;

  std::size_t read(void* to, std::size_t count) {
    for (;;) {
      auto got = ::read(descriptor_, to, count);
      if (got >= 0) return static_cast<std::size_t>(got);
      if (errno != EINTR) fail("read");
    }
  }
  void write(const void* from, std::size_t count) {
    auto* at = static_cast<const char*>(from);
    while (count > 0) {
      auto put = ::write(descriptor_, at, count);
      if (put < 0) {
        if (errno == EINTR) continue;
        fail("written");
      }
      at += put;
      count -= static_cast<std::size_t>(put);
    }
  }
  void sync() { if (::fsync(descriptor_) != 0) fail("written"); }

 private:
  [[noreturn]] void fail(const char* how) const {
    std::string why = errno == ENOSPC ? "the disk is full; free some space" : std::strerror(errno);
    throw Failure(errno == ENOENT ? FailureKind::NotFound : FailureKind::Unavailable, path_.string() + " cannot be " + how + ": " + why + ".");
  }
  std::filesystem::path path_;
  int descriptor_;
};

}  // namespace

void sync_file(const std::filesystem::path& path) { File(path, O_RDWR).sync(); }

void sync_folder(const std::filesystem::path& path) {
  int descriptor = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return;
  ::fsync(descriptor);
  ::close(descriptor);
}

void write_durably(const std::filesystem::path& file, std::string_view text) {
  auto temporary = file.string() + ".new";
  {
    File out(temporary, O_WRONLY | O_CREAT | O_TRUNC);
    out.write(text.data(), text.size());
    out.sync();
  }
  std::filesystem::rename(temporary, file);
  sync_folder(file.parent_path());
}

std::int64_t free_bytes(const std::filesystem::path& folder) {
  struct statvfs info {};
  if (::statvfs(folder.c_str(), &info) != 0) return INT64_MAX;  // not told: not a reason to refuse
  return static_cast<std::int64_t>(info.f_bavail) * static_cast<std::int64_t>(info.f_frsize);
}

std::string megabytes(std::int64_t bytes) {
  char buffer[32];
  std::snprintf(buffer, sizeof buffer, "%.1f MB", static_cast<double>(bytes) / 1e6);
  return buffer;
}

void require_space(const std::filesystem::path& folder, std::int64_t bytes, std::string_view what_for) {
  auto free = free_bytes(folder);
  if (free >= bytes) return;
  throw Failure(FailureKind::Unavailable, folder.string() + " has " + megabytes(free) + " free and " + std::string(what_for) + " needs " + megabytes(bytes) + "; free some space. Nothing was changed.");
}

std::int64_t sqlite_bytes(const std::filesystem::path& file) {
  std::error_code error;
  auto size = [&](const std::filesystem::path& p) {
    auto bytes = std::filesystem::file_size(p, error);
    return error ? std::int64_t{0} : static_cast<std::int64_t>(bytes);
  };
  return size(file) + size(file.string() + "-wal");
}

namespace {

constexpr std::size_t digest_size = 32;
constexpr std::size_t seal_size = 2 * sizeof(std::uint32_t) + digest_size;

// SHA-256 of the first `bytes` of a file: the whole of a backup before its seal.
std::string digest_of(const std::filesystem::path& file, std::uintmax_t bytes) {
  File in(file, O_RDONLY);
  struct Free { void operator()(EVP_MD_CTX* c) const { EVP_MD_CTX_free(c); } };
  std::unique_ptr<EVP_MD_CTX, Free> context(EVP_MD_CTX_new());
  EVP_DigestInit_ex(context.get(), EVP_sha256(), nullptr);
  std::vector<char> part(1 << 16);
  while (bytes > 0) {
    auto got = in.read(part.data(), static_cast<std::size_t>(std::min<std::uintmax_t>(part.size(), bytes)));
    if (got == 0) break;
    EVP_DigestUpdate(context.get(), part.data(), got);
    bytes -= got;
  }
  std::string out(digest_size, '\0');
  unsigned length = 0;
  EVP_DigestFinal_ex(context.get(), reinterpret_cast<unsigned char*>(out.data()), &length);
  return out;
}

// The last skippable frame holds the digest of all before it, so that a changed bit is noticed wherever it is.
void require_seal(const std::filesystem::path& file) {
  Failure broken(FailureKind::BadRequest, file.string() + " is no Basalt backup, or is damaged: its digest does not fit.");
  std::error_code error;
  auto size = std::filesystem::file_size(file, error);
  if (error || size < seal_size) throw broken;
  std::ifstream in(file, std::ios::binary);
  in.seekg(static_cast<std::streamoff>(size - seal_size));
  std::uint32_t words[2] = {};
  std::string digest(digest_size, '\0');
  in.read(reinterpret_cast<char*>(words), sizeof words);
  in.read(digest.data(), static_cast<std::streamsize>(digest.size()));
  if (!in || words[0] != skippable || words[1] != digest_size || digest != digest_of(file, size - seal_size)) throw broken;
}

}  // namespace

void compress(const std::filesystem::path& from, const std::filesystem::path& to, std::string_view head) {
  File in(from, O_RDONLY), out(to, O_WRONLY | O_CREAT | O_TRUNC);
  std::uint32_t words[2] = {skippable, static_cast<std::uint32_t>(head.size())};  // little-endian, as all we run on
  out.write(words, sizeof words);
  out.write(head.data(), head.size());
  auto* context = ZSTD_createCCtx();
  struct Free { ZSTD_CCtx* c; ~Free() { ZSTD_freeCCtx(c); } } free{context};
  ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, 3);
  ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1);
  std::vector<char> input(ZSTD_CStreamInSize()), output(ZSTD_CStreamOutSize());
  for (;;) {
    auto got = in.read(input.data(), input.size());
    bool last = got == 0;
    ZSTD_inBuffer source{input.data(), got, 0};
    for (;;) {
      ZSTD_outBuffer target{output.data(), output.size(), 0};
      auto left = ZSTD_compressStream2(context, &target, &source, last ? ZSTD_e_end : ZSTD_e_continue);
      if (ZSTD_isError(left)) throw Failure(FailureKind::Bug, "The backup could not be compressed.").with_details(ZSTD_getErrorName(left));
      out.write(output.data(), target.pos);
      if (last ? left == 0 : source.pos == source.size) break;
    }
    if (last) break;
  }
  auto digest = digest_of(to, std::filesystem::file_size(to));
  std::uint32_t seal[2] = {skippable, static_cast<std::uint32_t>(digest.size())};
  out.write(seal, sizeof seal);
  out.write(digest.data(), digest.size());
  out.sync();
}

void decompress(const std::filesystem::path& from, const std::filesystem::path& to) {
  require_seal(from);
  File in(from, O_RDONLY), out(to, O_WRONLY | O_CREAT | O_TRUNC);
  auto* context = ZSTD_createDCtx();
  struct Free { ZSTD_DCtx* c; ~Free() { ZSTD_freeDCtx(c); } } free{context};
  std::vector<char> input(ZSTD_DStreamInSize()), output(ZSTD_DStreamOutSize());
  std::size_t left = 1;
  bool any = false;
  while (auto got = in.read(input.data(), input.size())) {
    ZSTD_inBuffer source{input.data(), got, 0};
    while (source.pos < source.size) {
      ZSTD_outBuffer target{output.data(), output.size(), 0};
      left = ZSTD_decompressStream(context, &target, &source);
      if (ZSTD_isError(left)) throw Failure(FailureKind::BadRequest, from.string() + " is no Basalt backup, or is damaged: " + ZSTD_getErrorName(left) + ".");
      out.write(output.data(), target.pos);
      any = any || target.pos > 0;
    }
  }
  if (left != 0 || !any) throw Failure(FailureKind::BadRequest, from.string() + " is no complete Basalt backup: it ends too early.");
}

std::string read_head(const std::filesystem::path& file) {
  File in(file, O_RDONLY);
  std::uint32_t words[2] = {};
  auto full = [&](void* to, std::size_t count) {
    std::size_t have = 0;
    while (have < count) {
      auto got = in.read(static_cast<char*>(to) + have, count - have);
      if (got == 0) return false;
      have += got;
    }
    return true;
  };
  if (!full(words, sizeof words) || words[0] != skippable || words[1] > (64u << 20)) throw Failure(FailureKind::BadRequest, file.string() + " is no Basalt backup.");
  std::string head(words[1], '\0');
  if (!full(head.data(), head.size())) throw Failure(FailureKind::BadRequest, file.string() + " is no complete Basalt backup: it ends too early.");
  return head;
}

ScratchFile::~ScratchFile() {
  std::error_code ignored;
  for (auto& suffix : {"", "-wal", "-shm", "-journal"}) std::filesystem::remove(path_.string() + suffix, ignored);
}

}  // namespace basalt::upgrade
