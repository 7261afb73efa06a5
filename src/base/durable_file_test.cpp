#include "base/durable_file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include "base/failure.h"
#include "base/random.h"
#include "base/tar.h"
#include "base/tar_write.h"

namespace basalt {
namespace {

struct Folder {
  std::filesystem::path path = std::filesystem::temp_directory_path() / ("basalt-file-test-" + random_hex(8));
  Folder() { std::filesystem::create_directories(path); }
  ~Folder() { std::error_code ignored; std::filesystem::remove_all(path, ignored); }
};

std::string text_of(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

TEST(DurableFile, replaces_what_is_there_and_leaves_nothing_beside_it) {
  Folder folder;
  auto file = folder.path / "state.json";
  write_durably(file, "one");
  write_durably(file, std::string("t\0wo", 4), 0640);
  EXPECT_EQ(text_of(file), std::string("t\0wo", 4));
  EXPECT_EQ(static_cast<unsigned>(std::filesystem::status(file).permissions()), 0640u);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder.path), {}), 1);
}

TEST(DurableFile, belongs_to_whom_the_folder_belongs_to) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can give files away";
  Folder folder;
  ASSERT_EQ(::chown(folder.path.c_str(), 65534, 65534), 0);
  write_durably(folder.path / "state.json", "x");
  struct stat info {};
  ASSERT_EQ(::stat((folder.path / "state.json").c_str(), &info), 0);
  EXPECT_EQ(info.st_uid, 65534u);
  EXPECT_EQ(info.st_gid, 65534u);
}

TEST(DurableFile, leaves_the_old_one_when_it_cannot) {
  Folder folder;
  std::filesystem::create_directories(folder.path / "state.json" / "inside");  // a folder cannot be replaced by a file
  EXPECT_THROW(write_durably(folder.path / "state.json", "x"), Failure);
  EXPECT_TRUE(std::filesystem::exists(folder.path / "state.json" / "inside"));
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder.path), {}), 1);
  EXPECT_THROW(write_durably(folder.path / "nowhere" / "state.json", "x"), Failure);
}

TEST(TarWrite, makes_what_the_reader_reads) {
  Folder folder;
  write_durably(folder.path / "a.json", "{}");
  write_durably(folder.path / "b.bin", std::string(700'000, 'b'));
  auto archive = folder.path / "all.tar";
  write_tar(archive, folder.path, {"b.bin", "a.json"});
  TarReader reader(archive);
  auto first = reader.next();
  ASSERT_TRUE(first);
  EXPECT_EQ(first->path, "b.bin");
  EXPECT_EQ(first->bytes, 700'000);
  auto second = reader.next();
  ASSERT_TRUE(second);
  EXPECT_EQ(second->path, "a.json");
  EXPECT_EQ(reader.read(100), "{}");
  EXPECT_FALSE(reader.next());
  EXPECT_THROW(write_tar(archive, folder.path, {"a.json"}), Failure) << "nothing is written over";
  EXPECT_THROW(write_tar(folder.path / "other.tar", folder.path, {"a.json", "missing"}), Failure);
  EXPECT_FALSE(std::filesystem::exists(folder.path / "other.tar"));
}

}  // namespace
}  // namespace basalt
