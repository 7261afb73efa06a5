#include "launch/slots.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>

#include "base/failure.h"
#include "base/random.h"

namespace basalt::launch {
namespace {

namespace fs = std::filesystem;

struct SlotsTest : testing::Test {
  fs::path base = (fs::exists("/dev/shm") ? fs::path("/dev/shm") : fs::temp_directory_path()) / ("basalt-slots-" + random_hex(8)), folder = base / "versions";
  SlotsTest() { fs::create_directories(folder); }
  ~SlotsTest() override { fs::remove_all(base); }

  fs::path archive(const std::string& version, const std::string& content = "program", const char* program = "basalt") {
    auto top = base / ("basalt-" + version);
    fs::remove_all(top);
    fs::create_directories(top / "lib");
    std::ofstream(top / program) << content;
    std::ofstream(top / "lib/libduckdb.so") << "library";
    fs::permissions(top / program, fs::perms::owner_all);
    auto file = base / (version + random_hex(4) + ".tar.gz");
    EXPECT_EQ(std::system(("tar -C " + base.string() + " -czf " + file.string() + " basalt-" + version).c_str()), 0);
    return file;
  }
  std::vector<std::string> names() {
    std::vector<std::string> out;
    for (auto& slot : slots.list()) out.push_back(slot.name);
    return out;
  }
  template <class Work>
  std::string refusal(Work&& work) {
    try {
      work();
    } catch (const Failure& failure) {
      return failure.sentence();
    }
    return "";
  }
  Slots slots{folder, "/usr/bin/basalt", "0.1.0"};
};

TEST_F(SlotsTest, an_archive_becomes_a_version) {
  EXPECT_EQ(names(), (std::vector<std::string>{"installed"}));
  auto slot = slots.add(archive("0.2.0"), "0.2.0", json::parse(R"({"class":"minor"})"), {});
  EXPECT_EQ(slot.program, folder / "0.2.0/basalt");
  EXPECT_EQ(json::text(slot.release, "class"), "minor");
  EXPECT_TRUE(fs::exists(folder / "0.2.0/lib/libduckdb.so"));
  EXPECT_EQ(slots.program("0.2.0"), slot.program);
  EXPECT_EQ(slots.program("installed"), "/usr/bin/basalt");
  EXPECT_EQ(slots.find("0.1.0")->name, "installed");
  EXPECT_EQ(refusal([&] { slots.program("0.3.0"); }), "Version 0.3.0 is not in " + folder.string() + ".");
}

TEST_F(SlotsTest, the_same_archive_is_unpacked_once_and_another_only_where_nobody_uses_it) {
  auto first = archive("0.2.0");
  slots.add(first, "0.2.0", {}, {});
  std::ofstream(folder / "0.2.0/mark") << "kept";
  slots.add(first, "0.2.0", {}, {"0.2.0"});
  EXPECT_TRUE(fs::exists(folder / "0.2.0/mark"));
  auto other = archive("0.2.0", "another program");
  EXPECT_NE(refusal([&] { slots.add(other, "0.2.0", {}, {"0.2.0"}); }).find("is in use here"), std::string::npos);
  EXPECT_TRUE(fs::exists(folder / "0.2.0/mark"));
  slots.add(other, "0.2.0", {}, {});
  EXPECT_FALSE(fs::exists(folder / "0.2.0/mark"));
}

TEST_F(SlotsTest, what_is_no_version_leaves_nothing_behind) {
  EXPECT_NE(refusal([&] { slots.add(archive("0.2.0", "x", "other"), "0.2.0", {}, {}); }).find("holds no program called basalt"), std::string::npos);
  std::ofstream(base / "broken.tar.gz") << "this is no archive at all, not even nearly one";
  EXPECT_NE(refusal([&] { slots.add(base / "broken.tar.gz", "0.2.0", {}, {}); }), "");
  EXPECT_EQ(refusal([&] { slots.add(base / "broken.tar.gz", "../0.2.0", {}, {}); }), "\"../0.2.0\" is no version; a version is like 0.2.0.");
  EXPECT_TRUE(fs::is_empty(folder));
  EXPECT_NE(refusal([&] { slots.require_room(std::int64_t{1} << 60); }).find("and only"), std::string::npos);
}

TEST_F(SlotsTest, old_versions_go_but_for_those_in_use_and_one_more) {
  for (auto* version : {"0.1.5", "0.2.0", "0.3.0", "0.10.0", "0.4.0"}) slots.add(archive(version), version, {}, {});
  EXPECT_EQ(names(), (std::vector<std::string>{"installed", "0.10.0", "0.4.0", "0.3.0", "0.2.0", "0.1.5"}));
  fs::create_directories(folder / ".half-0.5.0-abcdef/lib");
  fs::last_write_time(folder / ".half-0.5.0-abcdef", fs::file_time_type::clock::now() - std::chrono::hours(2));
  fs::create_directories(folder / ".half-0.6.0-abcdef");  // somebody is at it
  std::ofstream(folder / ".half-0.6.0-abcdef/release.json") << "{}";
  fs::create_directories(folder / ".gone-0.7.0-abcdef/lib");
  slots.prune({"0.2.0", "0.3.0"});
  EXPECT_EQ(names(), (std::vector<std::string>{"installed", "0.10.0", "0.3.0", "0.2.0"}));
  EXPECT_FALSE(fs::exists(folder / ".half-0.5.0-abcdef"));
  EXPECT_TRUE(fs::exists(folder / ".half-0.6.0-abcdef"));
  EXPECT_FALSE(fs::exists(folder / ".gone-0.7.0-abcdef"));
  EXPECT_FALSE(fs::exists(folder / "0.1.5"));
}

}  // namespace
}  // namespace basalt::launch
