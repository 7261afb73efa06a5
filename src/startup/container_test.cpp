#include "startup/container.h"

#include <gtest/gtest.h>

#include <fstream>

#include "base/failure.h"
#include "base/random.h"
#include "startup/open_store.h"

namespace basalt::startup {
namespace {

struct Container : testing::Test {
  Container() : folder(std::filesystem::path(testing::TempDir()) / ("basalt-container-" + random_hex(8))) {
    std::filesystem::create_directories(folder);
    marks = {folder / ".dockerenv", folder / ".containerenv", folder / "cgroup", folder / "mountinfo"};
  }
  ~Container() override { std::filesystem::remove_all(folder); }
  void docker() { std::ofstream(marks.docker) << ""; }
  void mounted(const std::string& lines) { std::ofstream(marks.mounts) << "22 1 0:21 / / rw,relatime master:1 - overlay overlay rw,lowerdir=/a\n23 22 0:22 / /proc rw - proc proc rw\n" << lines; }

  std::filesystem::path folder;
  ContainerMarks marks;
};

TEST_F(Container, a_directory_in_its_own_layer_is_warned_about) {
  docker();
  mounted("");
  auto text = container_warning("/var/lib/basalt", marks);
  EXPECT_NE(text.find("/var/lib/basalt"), std::string::npos) << text;
  EXPECT_NE(text.find("volume"), std::string::npos);
}

TEST_F(Container, a_volume_is_fine_at_it_or_above_it) {
  docker();
  mounted("30 22 8:1 /v /var/lib/basalt rw - ext4 /dev/sda1 rw\n31 22 8:1 /w /my\\040data rw - xfs /dev/sda2 rw\n");
  EXPECT_EQ(container_warning("/var/lib/basalt", marks), "");
  EXPECT_EQ(container_warning("/var/lib/basalt/deeper", marks), "");
  EXPECT_EQ(container_warning("/my data/basalt", marks), "");
  EXPECT_NE(container_warning("/var/lib/basalt2", marks), "") << "only begins alike";
}

TEST_F(Container, memory_is_no_volume) {
  docker();
  mounted("30 22 0:9 / /data rw - tmpfs tmpfs rw\n");
  EXPECT_NE(container_warning("/data", marks).find("in memory"), std::string::npos);
}

TEST_F(Container, a_disk_behind_a_network_is_warned_about_anywhere) {
  mounted("30 22 0:9 / /home rw - cifs //share/home rw\n31 22 0:9 / /efs rw - nfs4 fs-1:/ rw\n32 22 8:1 / /data rw - ext4 /dev/sda1 rw\n");
  EXPECT_NE(network_disk_warning("/home/basalt", marks).find("(cifs)"), std::string::npos);
  EXPECT_NE(network_disk_warning("/efs", marks).find("(nfs4)"), std::string::npos);
  EXPECT_EQ(network_disk_warning("/data", marks), "");
  EXPECT_EQ(network_disk_warning("/elsewhere", marks), "");
}

TEST_F(Container, outside_of_one_nothing_is_said) {
  mounted("");
  EXPECT_EQ(container_warning("/var/lib/basalt", marks), "");
  std::ofstream(marks.cgroup) << "0::/system.slice/basalt.service\n";
  EXPECT_FALSE(in_container(marks));
  std::ofstream(marks.cgroup) << "12:pids:/kubepods/besteffort/pod1\n";
  EXPECT_TRUE(in_container(marks));
  EXPECT_NE(container_warning("/var/lib/basalt", marks), "");
}

TEST_F(Container, no_new_data_is_made_there_unless_it_may_be_lost) {
  docker();
  mounted("");
  auto place = (folder / "data").string();
  try {
    open_store(read_config({{"data-dir", place}}, {}), marks);
    FAIL() << "made";
  } catch (const Failure& failure) {
    EXPECT_EQ(failure.kind(), FailureKind::BadRequest);
    EXPECT_NE(failure.sentence().find("--ephemeral"), std::string::npos) << failure.sentence();
  }
  EXPECT_FALSE(std::filesystem::exists(place)) << "nothing may be left behind";
  open_store(read_config({{"data-dir", place}, {"ephemeral", "true"}}, {}), marks);
  EXPECT_NO_THROW(open_store(read_config({{"data-dir", place}}, {}), marks)) << "what is there is opened";
}

}  // namespace
}  // namespace basalt::startup
