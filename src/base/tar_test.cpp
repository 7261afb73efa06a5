#include "base/tar.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "base/failure.h"
#include "base/random.h"

namespace basalt {
namespace {

namespace fs = std::filesystem;

struct Tar : testing::Test {
  fs::path folder = fs::temp_directory_path() / ("basalt-tar-" + random_hex(8));
  Tar() { fs::create_directories(folder); }
  ~Tar() override { fs::remove_all(folder); }

  void write(const fs::path& file, const std::string& text) {
    fs::create_directories(file.parent_path());
    std::ofstream(file, std::ios::binary) << text;
  }
  std::string read(const fs::path& file) {
    std::ostringstream out;
    out << std::ifstream(file, std::ios::binary).rdbuf();
    return out.str();
  }
  void shell(const std::string& command) { ASSERT_EQ(std::system(("cd " + folder.string() + " && " + command).c_str()), 0) << command; }
  std::string refusal(const std::string& archive) {
    fs::create_directories(folder / "out");
    try {
      unpack_tar(folder / archive, folder / "out");
    } catch (const Failure& failure) {
      return failure.sentence();
    }
    return "";
  }
};

TEST_F(Tar, unpacks_what_tar_packed) {
  std::string large(300'000, 'x');
  std::string long_name(150, 'n');
  write(folder / "basalt-1/basalt", "#!/bin/sh\n");
  fs::permissions(folder / "basalt-1/basalt", fs::perms::owner_all);
  write(folder / "basalt-1/lib/large", large);
  write(folder / ("basalt-1/" + long_name), "long");
  fs::create_symlink("large", folder / "basalt-1/lib/link");
  for (auto* how : {"-cf a.tar", "-czf a.tar", "--format=pax -czf a.tar", "--format=gnu -cf a.tar"}) {
    fs::remove_all(folder / "out");
    shell(std::string("tar ") + how + " basalt-1");
    EXPECT_EQ(refusal("a.tar"), "") << how;
    EXPECT_EQ(read(folder / "out/lib/large"), large);
    EXPECT_EQ(read(folder / "out" / long_name), "long");
    EXPECT_EQ(read(folder / "out/lib/link"), large);
    EXPECT_TRUE((fs::status(folder / "out/basalt").permissions() & fs::perms::owner_exec) != fs::perms::none);
    EXPECT_TRUE((fs::status(folder / "out/lib/large").permissions() & fs::perms::owner_exec) == fs::perms::none);
  }
}

TEST_F(Tar, refuses_what_leads_out) {
  write(folder / "top/file", "x");
  shell("tar -cf up.tar --transform 's,top/file,top/../../escaped,' -P top/file");
  EXPECT_EQ(refusal("up.tar"), "The archive up.tar holds a path that leads out of it.");
  shell("tar -cf root.tar --transform 's,^,/,' -P top/file");
  EXPECT_EQ(refusal("root.tar"), "The archive root.tar holds a path that leads out of it.");
  fs::create_symlink("/etc", folder / "top/etc");
  shell("tar -cf link.tar top");
  EXPECT_EQ(refusal("link.tar"), "The archive link.tar holds a link that leads out of its folder.");
  EXPECT_FALSE(fs::exists(folder / "escaped"));
}

TEST_F(Tar, refuses_what_is_cut_off_or_damaged) {
  write(folder / "top/file", std::string(100'000, 'x') + random_hex(40'000));
  shell("tar -czf whole.tar top && head -c 2000 whole.tar > cut.tar && tar -cf plain.tar top && head -c 50000 plain.tar > cut-plain.tar");
  EXPECT_EQ(refusal("cut.tar"), "The archive cut.tar is cut off or damaged.");
  fs::remove_all(folder / "out");
  EXPECT_EQ(refusal("cut-plain.tar"), "The archive cut-plain.tar is cut off or damaged.");
  fs::remove_all(folder / "out");
  shell("cp plain.tar bad.tar && printf 'zz' | dd of=bad.tar bs=1 seek=120 conv=notrunc 2>/dev/null");
  EXPECT_EQ(refusal("bad.tar"), "The archive bad.tar is cut off or damaged.");
  shell("mkdir more && tar -cf two.tar top more");
  fs::remove_all(folder / "out");
  EXPECT_EQ(refusal("two.tar"), "The archive two.tar must have one folder at its top; it has top and more.");
  EXPECT_EQ(refusal("absent.tar"), "There is no file " + (folder / "absent.tar").string() + ".");
}

}  // namespace
}  // namespace basalt
