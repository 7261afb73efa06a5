#include "startup/release_options.h"

#include "base/failure.h"

namespace basalt::startup {

std::string release_root(const Config& config) {
  auto& path = config.text("release-root");
  if (path.empty()) return std::string(release::built_in_root());
  auto text = client::fetch_text(path, {.most_bytes = release::most_document_bytes});
  if (!text || client::is_network(path)) throw Failure(FailureKind::BadRequest, "The option release-root names " + path + ", which is no file that can be read; it must be the file root.json of the makers.");
  release::first_root(*text);
  return *text;
}

std::string needed_release_root(const Config& config) {
  auto root = release_root(config);
  if (root.empty()) throw Failure(FailureKind::BadRequest, "This program was built without a root of releases, so it cannot tell whose they are; set the option release-root to the file root.json of the makers that you trust.");
  return root;
}

std::filesystem::path release_trust(const Config& config) { return std::filesystem::path(config.versions_directory()) / "trust"; }

std::unique_ptr<release::Repository> release_source(const Config& config, std::stop_token stop) {
  auto& source = config.text("release-feed");
  if (source.empty()) throw Failure(FailureKind::BadRequest, "No release feed is configured; set the option release-feed to the address or folder of releases.json, or name a file with --bundle.");
  if (config.flag("air-gapped") && client::is_network(source)) throw Failure(FailureKind::BadRequest, "This installation is air-gapped, so the release feed is not asked over the network; name a file with --bundle.");
  return release::open_source(source, {.ca_file = config.text("release-ca-file"), .stop = std::move(stop)});
}

}  // namespace basalt::startup
