// SPDX-License-Identifier: Apache-2.0
#include "base/files.h"

#include <fcntl.h>
#include <pwd.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <functional>

#include "base/error.h"
#include "support/test_support.h"

namespace spotter {
namespace {

namespace fs = std::filesystem;

std::string IoError(const std::function<void()>& work) {
  try {
    work();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::kIo) << error.what();
    return error.what();
  }
  ADD_FAILURE() << "it worked";
  return "";
}

size_t FilesIn(const fs::path& folder) {
  return static_cast<size_t>(std::distance(fs::directory_iterator(folder), {}));
}

class Files : public testing::Test {
 protected:
  TemporaryFolder folder_;
  fs::path file() const { return folder_.path() / "file"; }
};

TEST_F(Files, AreWrittenAndReadBack) {
  const std::string zeros(1000, '\0');
  for (const std::string& content : {std::string(), std::string("text\n"), zeros, std::string(3 << 20, 'x')}) {
    WriteFileAtomically(file(), content);
    EXPECT_TRUE(ReadFile(file()) == content);
    EXPECT_EQ(FilesIn(folder_.path()), 1u);
  }
  const std::string_view pieces[] = {"one ", "", "two"};
  WriteFileAtomically(file(), pieces);
  EXPECT_EQ(ReadFile(file()), "one two");
}

TEST_F(Files, HaveOneLastNameHoweverTheyAreWritten) {
  for (const char* path : {"runs/a", "runs/a/", "/x/a", "./b/../a", "a/.", "a//"})
    EXPECT_EQ(LastName(path), "a") << path;
  EXPECT_EQ(LastName("."), fs::current_path().filename().string());
  EXPECT_EQ(LastName("/"), "");
}

TEST_F(Files, ByARelativeNameGoToTheCurrentFolder) {
  const fs::path before = fs::current_path();
  fs::current_path(folder_.path());
  WriteFileAtomically("plain", "x");
  fs::current_path(before);
  EXPECT_EQ(ReadFile(folder_.path() / "plain"), "x");
}

// A limit on the size of files is what a disk looks like that has no room for the second half. In a child: limits can't
// be raised again.
TEST_F(Files, AWriteThatFailsHalfwayLeavesTheOldContentAndNothingElse) {
  WriteFileAtomically(file(), "old");
  const pid_t child = ::fork();
  if (child == 0) {
    std::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{100'000, 100'000};
    if (::setrlimit(RLIMIT_FSIZE, &limit) != 0) ::_exit(10);
    try {
      WriteFileAtomically(file(), std::string(200'000, 'n'));
    } catch (const Error& error) {
      const bool named = std::string(error.what()).find("File too large") != std::string::npos;
      ::_exit(error.code() == ExitCode::kIo && named ? 0 : 11);
    }
    ::_exit(12);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
  EXPECT_EQ(ReadFile(file()), "old");
  EXPECT_EQ(FilesIn(folder_.path()), 1u);
}

// A process that is killed while it writes leaves the old content too (and its temporary file, which no reader looks
// at).
TEST_F(Files, AKillHalfwayLeavesTheOldContent) {
  WriteFileAtomically(file(), "old");
  const pid_t child = ::fork();
  if (child == 0) {
    const rlimit limit{100'000, 100'000};  // SIGXFSZ kills in the middle of the write
    const rlimit no_core{0, 0};
    ::setrlimit(RLIMIT_CORE, &no_core);
    ::setrlimit(RLIMIT_FSIZE, &limit);
    WriteFileAtomically(file(), std::string(200'000, 'n'));
    ::_exit(0);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFSIGNALED(status));
  EXPECT_EQ(ReadFile(file()), "old");
}

// What processes of the same number left behind, as each start of a container has.
TEST_F(Files, LeftoversOfKilledProcessesAreInNobodysWay) {
  for (int i = 0; i < 100; ++i) WriteText(folder_.path() / fmt::format(".file.tmp.{}.{}", ::getpid(), i), "left");
  WriteFileAtomically(file(), "new");
  EXPECT_EQ(ReadFile(file()), "new");
  EXPECT_EQ(FilesIn(folder_.path()), 101u);
}

TEST_F(Files, ReplacingAFolderFailsAndLeavesIt) {
  fs::create_directory(file());
  WriteText(file() / "inside", "x");
  EXPECT_NE(IoError([&] { WriteFileAtomically(file(), "new"); }).find(file().string()), std::string::npos);
  EXPECT_EQ(ReadText(file() / "inside"), "x");
  EXPECT_EQ(FilesIn(folder_.path()), 1u);
}

TEST_F(Files, ReplacingALinkReplacesTheLink) {
  WriteFileAtomically(folder_.path() / "target", "old");
  fs::create_symlink("target", file());
  WriteFileAtomically(file(), "new");
  EXPECT_EQ(ReadFile(file()), "new");
  EXPECT_EQ(ReadFile(folder_.path() / "target"), "old");
}

TEST_F(Files, ErrorsNameThePathAndTheReason) {
  const fs::path absent = folder_.path() / "absent";
  EXPECT_EQ(IoError([&] { ReadFile(absent); }), "can't read '" + absent.string() + "': No such file or directory");
  EXPECT_NE(IoError([&] { ReadFile(folder_.path()); }).find("Is a directory"), std::string::npos);
  EXPECT_NE(IoError([&] { WriteFileAtomically(absent / "file", "x"); }).find("No such file or directory"),
            std::string::npos);
  EXPECT_NE(IoError([&] { SyncFolder(absent); }).find(absent.string()), std::string::npos);
  WriteText(file(), "x");
  EXPECT_NE(IoError([&] { MakeFolders(file() / "below"); }).find("Not a directory"), std::string::npos);
}

TEST_F(Files, AboveTheLimitAreNotRead) {
  WriteText(file(), std::string(100, 'x'));
  EXPECT_EQ(ReadFile(file(), 100).size(), 100u);
  EXPECT_NE(IoError([&] { ReadFile(file(), 99); }).find("99 bytes"), std::string::npos);
  EXPECT_NE(IoError([&] { ReadFile("/dev/zero", 10'000); }).find("larger than 10000 bytes"), std::string::npos);
}

TEST_F(Files, WhoseSizeTheSystemDoesNotKnowAreReadWhole) {
  EXPECT_NE(ReadFile("/proc/self/status").find("Pid:"), std::string::npos);
  EXPECT_EQ(ReadFile("/dev/null"), "");
}

TEST_F(Files, FoldersAreMadeWithTheirParents) {
  MakeFolders(folder_.path() / "a" / "b");
  MakeFolders(folder_.path() / "a" / "b");
  EXPECT_TRUE(fs::is_directory(folder_.path() / "a" / "b"));
}

TEST(CacheFolder, FollowsTheEnvironment) {
  const ScopedEnvironment home("HOME", "/home/of"), xdg("XDG_CACHE_HOME", ""), own("SPOTTER_CACHE", "");
  EXPECT_EQ(CacheFolder(), "/home/of/.cache/spotter");
  {
    const ScopedEnvironment set("XDG_CACHE_HOME", "/xdg");
    EXPECT_EQ(CacheFolder(), "/xdg/spotter");
    const ScopedEnvironment mine("SPOTTER_CACHE", "/mine");
    EXPECT_EQ(CacheFolder(), "/mine");
  }
  EXPECT_EQ(CacheFolder(), "/home/of/.cache/spotter");
}

TEST(CacheFolder, IsInTheHomeThatTheSystemKnowsWhereTheEnvironmentNamesNone) {
  const ScopedEnvironment home("HOME", ""), xdg("XDG_CACHE_HOME", ""), own("SPOTTER_CACHE", "");
  const passwd* user = ::getpwuid(::geteuid());
  if (user == nullptr || !fs::is_directory(user->pw_dir)) GTEST_SKIP() << "this user has no home";
  EXPECT_EQ(CacheFolder(), fs::path(user->pw_dir) / ".cache/spotter");
}

// In a child, as a user without a home: 0 where the call gives the private folder, 6 where it refuses.
int CacheFolderOfNobody(const fs::path& temporary) {
  const pid_t child = ::fork();
  if (child == 0) {
    ::setenv("TMPDIR", temporary.c_str(), 1);
    if (::setgid(54321) != 0 || ::setuid(54321) != 0) ::_exit(10);
    try {
      ::_exit(CacheFolder() == temporary / "spotter-cache-54321" ? 0 : 11);
    } catch (const Error& error) {
      ::_exit(static_cast<int>(error.code()));
    }
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST(CacheFolder, OfAUserWithoutAHomeIsPrivate) {
  if (::geteuid() != 0) GTEST_SKIP() << "becoming another user needs root";
  const ScopedEnvironment home("HOME", ""), xdg("XDG_CACHE_HOME", ""), own("SPOTTER_CACHE", "");
  const TemporaryFolder folder;
  fs::permissions(folder.path(), fs::perms::all);
  EXPECT_EQ(CacheFolderOfNobody(folder.path()), 0);
  struct stat info {};
  ASSERT_EQ(::stat((folder.path() / "spotter-cache-54321").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 0700u);
  EXPECT_EQ(CacheFolderOfNobody(folder.path()), 0);  // it is the same the next time

  ASSERT_EQ(::chown((folder.path() / "spotter-cache-54321").c_str(), 0, 0), 0);
  EXPECT_EQ(CacheFolderOfNobody(folder.path()), static_cast<int>(ExitCode::kIo));
}

TEST(WriteFileAtomically, WritesIntoAPipeRatherThanReplaceIt) {
  const TemporaryFolder folder;
  const std::filesystem::path pipe = folder.path() / "pipe";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  const int reader = ::open(pipe.c_str(), O_RDONLY | O_NONBLOCK);
  WriteFileAtomically(pipe, "through");
  char bytes[16] = "";
  EXPECT_EQ(::read(reader, bytes, sizeof bytes), 7);
  EXPECT_STREQ(bytes, "through");
  ::close(reader);
  EXPECT_TRUE(std::filesystem::is_fifo(pipe));
}

}  // namespace
}  // namespace spotter
