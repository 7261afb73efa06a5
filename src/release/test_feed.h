// For tests: keys, a folder of signed files, and time that stands where it is put.
#pragma once
#include <fstream>

#include "base/crypto.h"
#include "base/failure.h"
#include "base/random.h"
#include "release/make.h"
#include "release/trust.h"

namespace basalt::release {

inline Timestamp on(std::string_view day) { return *parse_timestamp(day); }

struct TestFeed {
  std::filesystem::path base = std::filesystem::temp_directory_path() / ("basalt-release-test-" + random_hex(8));
  std::filesystem::path folder = base / "feed", trust = base / "trust";
  PrivateKey a = PrivateKey::generate(), b = PrivateKey::generate(), c = PrivateKey::generate(), r = PrivateKey::generate(), s = PrivateKey::generate();
  Timestamp now = on("2026-11-20"), later = on("2027-02-20"), much_later = on("2028-11-20");
  Feed feed{folder};

  // Two of a, b, c sign roots; r signs lists.
  TestFeed() {
    feed.draft_root({{a.public_key(), b.public_key(), c.public_key()}, 2}, {{r.public_key()}, 1}, much_later);
    feed.sign(a);
    feed.sign(b);
  }
  ~TestFeed() { std::error_code ignored; std::filesystem::remove_all(base, ignored); }
  TestFeed(const TestFeed&) = delete;

  std::string read(const std::string& name) const {
    std::ifstream in(folder / name, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  void write(const std::string& name, const std::string& text) const { std::ofstream(folder / name, std::ios::binary | std::ios::trunc) << text; }
  std::string anchor() const { return read("1.root.json"); }

  static json::object entry(const std::string& version, const std::string& c = "minor") {
    return {{"version", version}, {"released_at", "2026-11-20T00:00:00Z"}, {"class", c}, {"schema", 4}, {"notes", "What is **new**."}};
  }
  // An artefact with this content for linux-x64, in a list of its own number, signed.
  void publish(const std::string& version, const std::string& content = "program", json::object more = {}) {
    auto file = base / ("basalt-" + version + "-linux-x64.tar.gz");
    std::ofstream(file, std::ios::binary) << content;
    auto it = entry(version);
    for (auto& [key, value] : more) it[key] = value;
    feed.add({it, {{"linux-x64", file}}}, now, later);
    feed.sign(r);
  }
  Releases refresh() { return refresh_at(now); }
  Releases refresh_at(Timestamp at) { return Trust(trust, anchor()).refresh(*open_source(folder.string()), at); }
};

// The sentence with which something is refused; "" when it is not.
template <class Work>
std::string refusal(Work&& work) {
  try {
    work();
    return "";
  } catch (const Failure& failure) {
    return failure.sentence();
  }
}

// For sentences that must name what was wrong.
inline bool says(const std::string& sentence, std::string_view part) { return sentence.find(part) != std::string::npos; }

}  // namespace basalt::release
