// Where signed files come from: a folder, an address, or a bundle.
#include <fcntl.h>
#include <unistd.h>

#include <boost/url.hpp>

#include "base/crypto.h"
#include "base/failure.h"
#include "base/tar.h"
#include "release/trust.h"

namespace basalt::release {
namespace {

class Source final : public Repository {
 public:
  Source(std::string base, SourceOptions options) : base_(std::move(base)), options_(std::move(options)) {}

  std::optional<std::string> text(const std::string& name) const override {
    return client::fetch_text(client::beside(base_, name), {.patience = options_.patience, .most_bytes = most_document_bytes, .ca_file = options_.ca_file, .stop = options_.stop});
  }
  client::Downloaded download(const std::string& name, const std::filesystem::path& path, std::int64_t most_bytes, const client::Told& told) const override {
    return client::download(client::beside(base_, name), path, {.patience = options_.download_patience, .most_bytes = most_bytes, .ca_file = options_.ca_file, .stop = options_.stop}, told);
  }
  std::string shown() const override {
    if (!client::is_network(base_)) return base_.starts_with("file://") ? base_.substr(7) : base_;
    auto url = boost::urls::parse_uri(base_);
    return url ? std::string(url->encoded_host_and_port()) : "the release feed";
  }

 private:
  std::string base_;
  SourceOptions options_;
};

class Bundle final : public Repository {
 public:
  explicit Bundle(std::filesystem::path file) : file_(std::move(file)) {}

  std::optional<std::string> text(const std::string& name) const override {
    std::string out;
    bool found = read(name, most_document_bytes, [&](std::string_view piece) { out.append(piece); });
    return found ? std::optional(std::move(out)) : std::nullopt;
  }
  client::Downloaded download(const std::string& name, const std::filesystem::path& path, std::int64_t most_bytes, const client::Told& told) const override {
    int descriptor = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (descriptor < 0) throw Failure(FailureKind::Unavailable, "The file " + path.string() + " cannot be made.");
    struct Close {
      int descriptor;
      ~Close() { ::close(descriptor); }
    } close{descriptor};
    auto unwritten = [&] { throw Failure(FailureKind::Unavailable, "The file " + path.string() + " cannot be written; is the disk full?"); };
    Sha256 hash;
    client::Downloaded out;
    bool found = read(name, most_bytes, [&](std::string_view piece) {
      hash.add(piece);
      out.bytes += static_cast<std::int64_t>(piece.size());
      while (!piece.empty()) {
        auto wrote = ::write(descriptor, piece.data(), piece.size());
        if (wrote < 0 && errno == EINTR) continue;
        if (wrote <= 0) unwritten();
        piece.remove_prefix(static_cast<std::size_t>(wrote));
      }
      if (told) told(out.bytes, most_bytes);
    });
    if (!found) throw Failure(FailureKind::BadRequest, "The bundle " + shown() + " does not hold " + name + "; it was made for another platform or version.");
    if (::fsync(descriptor) != 0) unwritten();
    out.sha256 = hex(hash.finish());
    return out;
  }
  std::string shown() const override { return file_.string(); }

 private:
  // Finds `name` at the archive's top; false when it is not there.
  bool read(const std::string& name, std::int64_t most_bytes, const std::function<void(std::string_view)>& piece) const {
    TarReader reader(file_);
    while (auto entry = reader.next()) {
      if (entry->kind != TarEntry::Kind::File || entry->path != name) continue;
      if (entry->bytes > most_bytes) throw Failure(FailureKind::TooLarge, "The file " + name + " in the bundle " + shown() + " is longer than " + std::to_string(most_bytes) + " bytes.");
      for (auto got = reader.read(256 << 10); !got.empty(); got = reader.read(256 << 10)) piece(got);
      return true;
    }
    return false;
  }

  std::filesystem::path file_;
};

}  // namespace

std::unique_ptr<Repository> open_source(const std::string& source, const SourceOptions& options) { return std::make_unique<Source>(source, options); }
std::unique_ptr<Repository> open_bundle(const std::filesystem::path& file) { return std::make_unique<Bundle>(file); }

}  // namespace basalt::release
