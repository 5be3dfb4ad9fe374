#include "server/library_logs.h"

#include <grpc/support/log.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <string>

#include "google/protobuf/stubs/logging.h"
#include "telemetry/log.h"

namespace content::server {
namespace {

// Each of these tests runs in its own process, because it changes where the libraries write.
class LibraryLogsDeathTest : public ::testing::Test {
 protected:
  LibraryLogsDeathTest() {
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    gpr_set_log_verbosity(GPR_LOG_SEVERITY_ERROR);  // as the first use of gRPC does
  }
};

TEST_F(LibraryLogsDeathTest, MessagesOfGrpcAreEscapedEvents) {
  EXPECT_EXIT(
      {
        LogMessagesOfLibraries();
        gpr_log(GPR_ERROR, "bad \x1B[2J\xE2\x80\xAE");
        std::exit(0);
      },
      ::testing::ExitedWithCode(0),
      R"("level":"warning","event":"grpc","message":"bad \\u001b\[2J\\u202e","file":)");
}

TEST_F(LibraryLogsDeathTest, MessagesOfProtobufAreEvents) {
  EXPECT_EXIT(
      {
        log::Configure(log::Level::kDebug, log::Format::kJson);
        LogMessagesOfLibraries();
        GOOGLE_LOG(ERROR) << "not a message";
        std::exit(0);
      },
      ::testing::ExitedWithCode(0),
      R"("level":"debug","event":"protobuf","message":"not a message")");
}

// Ends the process with the number of lines that `action` logs.
template <class Action>
void ExitWithLineCount(Action action) {
  const int file = memfd_create("log", MFD_CLOEXEC);
  dup2(file, STDERR_FILENO);
  action();
  std::string text(static_cast<size_t>(lseek(file, 0, SEEK_END)), '\0');
  if (pread(file, text.data(), text.size(), 0) != std::ssize(text)) std::exit(255);
  std::exit(static_cast<int>(std::count(text.begin(), text.end(), '\n')));
}

TEST_F(LibraryLogsDeathTest, EachPlaceInGrpcIsAKind) {
  constexpr int kBurst = 10;
  EXPECT_EXIT(ExitWithLineCount([] {
                LogMessagesOfLibraries();
                log::LimitEachKind();
                for (int i = 0; i < 100; ++i) gpr_log(GPR_ERROR, "flood %d", i);
                gpr_log(GPR_ERROR, "from another place");
              }),
              ::testing::ExitedWithCode(kBurst + 1), "");
}

TEST_F(LibraryLogsDeathTest, AnAssertionOfGrpcIsLoggedBeforeTheProcessEnds) {
  EXPECT_DEATH(
      {
        log::WriteInBackground();
        LogMessagesOfLibraries();
        GPR_ASSERT(std::string("one") == "two");
      },
      R"("event":"grpc","message":"assertion failed: std::string\(\\"one\\"\) == \\"two\\"")");
}

}  // namespace
}  // namespace content::server
