#include "telemetry/event_log.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <climits>
#include <csignal>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"

namespace content::log {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using ::testing::EndsWith;
using ::testing::SizeIs;
using ::testing::StartsWith;

// A file that is open for reading and writing.
struct File {
  explicit File(int fd_) : fd(fd_) { EXPECT_GE(fd, 0); }
  ~File() { close(fd); }
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  static File InMemory() { return File(memfd_create("log", MFD_CLOEXEC)); }

  std::string Text() const {
    std::string text(static_cast<size_t>(lseek(fd, 0, SEEK_END)), '\0');
    EXPECT_EQ(pread(fd, text.data(), text.size(), 0), std::ssize(text));
    return text;
  }

  const int fd;
};

// A pipe that holds one page.
class Pipe {
 public:
  Pipe() {
    EXPECT_EQ(pipe2(ends_.data(), O_CLOEXEC), 0);
    fcntl(ends_[1], F_SETPIPE_SZ, kBytes);
  }
  ~Pipe() {
    CloseReader();
    CloseWriter();
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;

  int writer() const { return ends_[1]; }

  void SetNonBlocking() { EXPECT_EQ(fcntl(ends_[1], F_SETFL, O_NONBLOCK), 0); }

  void Fill() const {
    const std::string page = std::string(kBytes - 1, 'x') + "\n";
    EXPECT_EQ(write(ends_[1], page.data(), page.size()), kBytes);
  }

  void CloseReader() { Close(ends_[0]); }
  void CloseWriter() { Close(ends_[1]); }

  // Reads up to the end of the line that contains `text`, or to the end of the stream.
  std::string ReadUntil(const std::string& text) const {
    std::string all;
    std::string line;
    char c = '\0';
    while (read(ends_[0], &c, 1) == 1) {
      line += c;
      if (c != '\n') continue;
      all += line;
      if (absl::StrContains(std::exchange(line, ""), text)) break;
    }
    return all;
  }

 private:
  static constexpr int kBytes = 4096;

  static void Close(int& fd) {
    if (fd >= 0) close(std::exchange(fd, -1));
  }

  std::array<int, 2> ends_{};
};

std::vector<nlohmann::json> Events(const std::string& text) {
  std::vector<nlohmann::json> events;
  for (const absl::string_view line : absl::StrSplit(text, '\n', absl::SkipEmpty())) {
    auto event =
        nlohmann::json::parse(line.begin(), line.end(), nullptr, /*allow_exceptions=*/false);
    if (event.is_object()) events.push_back(std::move(event));
  }
  return events;
}

bool IsAboutDrops(const nlohmann::json& event) { return event["event"] == "log events dropped"; }

// Reads until `count` events have come, or were told to have been dropped. Returns those that came.
std::vector<nlohmann::json> ReadAllOf(const Pipe& pipe, int count) {
  std::vector<nlohmann::json> arrived;
  for (int dropped = 0; std::ssize(arrived) + dropped < count;) {
    for (nlohmann::json& event : Events(pipe.ReadUntil("\n"))) {
      if (IsAboutDrops(event)) {
        EXPECT_EQ(event["level"], "warning");
        dropped += event["count"].get<int>();
      } else {
        arrived.push_back(std::move(event));
      }
    }
  }
  return arrived;
}

void WriteNumbers(EventLog& log, int count, Event event = "e") {
  for (int i = 0; i < count; ++i) log.Write(Level::kInfo, event, {{"i", i}});
}

void ExpectNumbers(const std::vector<nlohmann::json>& events, int count) {
  ASSERT_GE(std::ssize(events), count);
  for (int i = 0; i < count; ++i) EXPECT_EQ(events[static_cast<size_t>(i)]["i"], i);
}

class EventLogTest : public ::testing::Test {
 protected:
  EventLogTest() { std::signal(SIGPIPE, SIG_IGN); }

  EventLog::Options WithClock(int fd) {
    return {.fd = fd, .now = [this] { return KindLimiter::Time(seconds(now_)); }};
  }

  std::atomic<int> now_ = 1000;  // in seconds
};

TEST_F(EventLogTest, WritesEverythingInOrderUntilFlushed) {
  const File file = File::InMemory();
  EventLog log({.fd = file.fd});
  log.WriteInBackground();
  WriteNumbers(log, 5000);
  log.Print("the end");
  log.Flush(minutes(1));
  const std::vector<nlohmann::json> events = Events(file.Text());
  EXPECT_THAT(events, SizeIs(5000));
  ExpectNumbers(events, 5000);
  EXPECT_TRUE(absl::EndsWith(file.Text(), "}\nthe end\n"));
}

TEST_F(EventLogTest, DropsEventsThatTooManyOthersWaitBeforeAndTellsHowMany) {
  Pipe pipe;
  pipe.Fill();
  EventLog log({.fd = pipe.writer(), .max_lines = 10});
  log.WriteInBackground();
  WriteNumbers(log, 100);  // does not block
  const std::vector<nlohmann::json> events = ReadAllOf(pipe, 100);
  EXPECT_THAT(events, SizeIs(10));
  ExpectNumbers(events, 10);

  log.Flush(minutes(1));
  log.Write(Level::kInfo, "again", {});
  EXPECT_THAT(ReadAllOf(pipe, 1), SizeIs(1));
}

TEST_F(EventLogTest, CountsEventsByTheirLevelAndWhatItDrops) {
  Pipe pipe;
  pipe.Fill();
  EventLog log({.fd = pipe.writer(), .max_lines = 2});
  log.WriteInBackground();
  for (int i = 0; i < 5; ++i) log.Write(Level::kWarning, "e", {});
  log.Write(Level::kError, "e", {});
  log.Write(Level::kDebug, "below the minimum", {});
  EXPECT_EQ(log.event_count(Level::kDebug), 0);
  EXPECT_EQ(log.event_count(Level::kInfo), 0);
  EXPECT_EQ(log.event_count(Level::kWarning), 5);
  EXPECT_EQ(log.event_count(Level::kError), 1);
  EXPECT_EQ(log.dropped_count(), 4);
  pipe.CloseReader();
}

TEST_F(EventLogTest, DropsEventsThatTooManyBytesWaitBefore) {
  Pipe pipe;
  pipe.Fill();
  EventLog log({.fd = pipe.writer(), .max_bytes = 2000});
  log.WriteInBackground();
  for (int i = 0; i < 100; ++i) log.Write(Level::kInfo, "e", {{"text", std::string(500, 'x')}});
  EXPECT_THAT(ReadAllOf(pipe, 100), SizeIs(3));
}

TEST_F(EventLogTest, HasAnotherLevelForAWhile) {
  const File file = File::InMemory();
  EventLog log(WithClock(file.fd));
  const auto write_all = [&log] {
    log.Write(Level::kDebug, "debug", {});
    log.Write(Level::kInfo, "info", {});
    log.Write(Level::kWarning, "warning", {});
    log.Write(Level::kError, "error", {});
  };
  EXPECT_EQ(log.GetLevel().left, std::nullopt);
  log.OverrideLevel(Level::kDebug, seconds(10));
  EXPECT_EQ(log.GetLevel().level, Level::kDebug);
  EXPECT_EQ(log.GetLevel().left, seconds(10));
  write_all();
  EXPECT_THAT(Events(file.Text()), SizeIs(4));

  log.OverrideLevel(Level::kError, seconds(10));  // replaces it
  now_ += 9;
  write_all();
  EXPECT_THAT(Events(file.Text()), SizeIs(5));
  EXPECT_EQ(log.GetLevel().left, seconds(1));

  now_ += 1;
  write_all();
  EXPECT_THAT(Events(file.Text()), SizeIs(8)) << "all but debug again";
  EXPECT_EQ(log.GetLevel().level, Level::kInfo);
  EXPECT_EQ(log.GetLevel().left, std::nullopt);
}

TEST_F(EventLogTest, WritesRecordsWhateverTheLevelIsAndHoweverMany) {
  const File file = File::InMemory();
  EventLog log(WithClock(file.fd));
  log.Configure(Level::kError, Format::kJson);
  log.LimitEachKind();
  for (int i = 0; i < 100; ++i) log.Record("call", {{"i", i}});
  const std::vector<nlohmann::json> events = Events(file.Text());
  EXPECT_THAT(events, SizeIs(100));
  ExpectNumbers(events, 100);
  EXPECT_EQ(events.front()["level"], "info");
}

// The socket keeps what is written at once together.
TEST_F(EventLogTest, RecordsWaitForMoreUnlessAnythingElseIsWritten) {
  std::array<int, 2> ends{};
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()), 0);
  const File reader(ends[0]);
  const File writer(ends[1]);
  EventLog log({.fd = writer.fd, .gather_for = minutes(60)});
  log.WriteInBackground();
  for (int i = 0; i < 100; ++i) log.Record("call", {{"i", i}});
  log.Write(Level::kInfo, "e", {{"i", 100}});
  std::vector<nlohmann::json> events;
  std::string text(size_t{1} << 20, '\0');
  for (bool is_full = true; is_full;) {
    const ssize_t size = read(reader.fd, text.data(), text.size());
    ASSERT_GT(size, 0);
    EXPECT_LE(size, PIPE_BUF);
    const std::string lines = text.substr(0, static_cast<size_t>(size));
    EXPECT_THAT(lines, EndsWith("}\n"));
    for (nlohmann::json& event : Events(lines)) events.push_back(std::move(event));
    is_full = size > PIPE_BUF * 9 / 10;
  }
  EXPECT_THAT(events, SizeIs(101));
  ExpectNumbers(events, 101);
}

TEST_F(EventLogTest, FlushDoesNotWaitForMore) {
  const File file = File::InMemory();
  EventLog log({.fd = file.fd, .gather_for = minutes(60)});
  log.WriteInBackground();
  log.Record("call", {{"i", 0}});
  log.Flush(minutes(60));
  EXPECT_THAT(Events(file.Text()), SizeIs(1));
}

TEST_F(EventLogTest, LeavesRoomForOtherEventsBesideRecords) {
  Pipe pipe;
  pipe.Fill();
  EventLog log({.fd = pipe.writer(), .max_lines = 10});
  log.WriteInBackground();
  for (int i = 0; i < 100; ++i) log.Record("call", {{"i", i}});
  WriteNumbers(log, 5);
  const std::vector<nlohmann::json> events = ReadAllOf(pipe, 105);
  ASSERT_THAT(events, SizeIs(10));
  EXPECT_EQ(events[4]["event"], "call");
  ExpectNumbers({events.begin() + 5, events.end()}, 5);
}

TEST_F(EventLogTest, KeepsPlacesForActs) {
  Pipe pipe;
  pipe.Fill();
  EventLog log({.fd = pipe.writer(), .max_lines = 10});
  log.Configure(Level::kError, Format::kJson);
  log.LimitEachKind();
  log.WriteInBackground();
  for (int i = 0; i < 100; ++i) log.Record("call", {{"i", i}});
  for (int i = 0; i < 100; ++i) log.Write(Level::kError, {"e", absl::StrCat(i)}, {});
  for (int i = 0; i < 10; ++i) log.RecordAct("log level changed", {{"i", i}});
  const std::vector<nlohmann::json> events = ReadAllOf(pipe, 210);
  ASSERT_THAT(events, SizeIs(20));
  EXPECT_EQ(events[10]["event"], "log level changed");
  EXPECT_EQ(events[10]["level"], "info");
  ExpectNumbers({events.begin() + 10, events.end()}, 10);
}

TEST_F(EventLogTest, WaitsOnlySoLongForAReader) {
  Pipe pipe;
  pipe.Fill();
  EventLog log({.fd = pipe.writer()});
  log.WriteInBackground();
  log.Write(Level::kInfo, "e", {});
  log.Flush(milliseconds(1));
  EXPECT_THAT(Events(pipe.ReadUntil("\"e\"")), SizeIs(1));
}

TEST_F(EventLogTest, WaitsForANonBlockingReader) {
  Pipe pipe;
  pipe.SetNonBlocking();
  pipe.Fill();
  {
    EventLog log({.fd = pipe.writer()});
    log.WriteInBackground();
    WriteNumbers(log, 500);
    log.Print("the end");
    ExpectNumbers(Events(pipe.ReadUntil("the end")), 500);
  }
  pipe.CloseWriter();
  EXPECT_EQ(pipe.ReadUntil("nothing"), "");
}

TEST_F(EventLogTest, GoesOnAfterAFullDisk) {
  const File disk(open("/dev/full", O_WRONLY | O_CLOEXEC));
  EventLog log({.fd = disk.fd});
  log.WriteInBackground();
  WriteNumbers(log, 5);
  log.Flush(minutes(1));
  EXPECT_EQ(log.dropped_count(), 5);

  const File file = File::InMemory();
  dup2(file.fd, disk.fd);
  log.Write(Level::kInfo, "again", {});
  log.Flush(minutes(1));
  const std::vector<nlohmann::json> events = Events(file.Text());
  ASSERT_THAT(events, SizeIs(2));
  EXPECT_EQ(events[0]["event"], "again");
  EXPECT_EQ(events[1]["event"], "log events dropped");
  EXPECT_EQ(events[1]["count"], 5);
}

TEST_F(EventLogTest, GoesOnAfterAReaderThatIsGoneOnALineOfItsOwn) {
  Pipe pipe;
  EventLog log({.fd = pipe.writer()});
  log.WriteInBackground();
  log.Print("the first\n" + std::string(1 << 20, 'x'));
  pipe.ReadUntil("the first");  // and no further: the second line is torn
  pipe.CloseReader();
  log.Flush(minutes(1));

  const File file = File::InMemory();
  dup2(file.fd, pipe.writer());
  log.Write(Level::kInfo, "again", {});
  log.Flush(minutes(1));
  EXPECT_THAT(file.Text(), StartsWith("\n{"));
  const std::vector<nlohmann::json> events = Events(file.Text());
  ASSERT_THAT(events, SizeIs(2));
  EXPECT_EQ(events[0]["event"], "again");
  EXPECT_EQ(events[1]["count"], 1);
}

TEST_F(EventLogTest, LimitsNothingUntilToldTo) {
  const File file = File::InMemory();
  EventLog log(WithClock(file.fd));
  WriteNumbers(log, 100);
  EXPECT_THAT(Events(file.Text()), SizeIs(100));
}

TEST_F(EventLogTest, LimitsEachKindAndTellsTheNextHowManyWereSuppressed) {
  const File file = File::InMemory();
  EventLog log(WithClock(file.fd));
  log.LimitEachKind();
  WriteNumbers(log, 15);
  WriteNumbers(log, 3, {"e", "other"});
  now_ += 1;
  WriteNumbers(log, 1);
  const std::vector<nlohmann::json> events = Events(file.Text());
  ASSERT_THAT(events, SizeIs(14));
  ExpectNumbers(events, 10);
  EXPECT_FALSE(events[12].contains("suppressed"));
  EXPECT_EQ(events[13]["suppressed"], 5);
}

TEST_F(EventLogTest, TellsOfABurstThatNoEventFollows) {
  Pipe pipe;
  EventLog log(WithClock(pipe.writer()));
  log.LimitEachKind();
  log.WriteInBackground();
  WriteNumbers(log, 15, {"e", "file.cc:3"});
  now_ += 2;
  const nlohmann::json told = Events(pipe.ReadUntil("suppressed")).back();
  EXPECT_EQ(told["event"], "e");
  EXPECT_EQ(told["level"], "info");
  EXPECT_EQ(told["kind"], "file.cc:3");
  EXPECT_EQ(told["suppressed"], 5);
}

TEST_F(EventLogTest, TellsOfSuppressedEventsWhenFlushed) {
  const File file = File::InMemory();
  EventLog log(WithClock(file.fd));
  log.LimitEachKind();
  WriteNumbers(log, 15);
  log.Flush(minutes(1));
  EXPECT_EQ(Events(file.Text()).back()["suppressed"], 5);
}

}  // namespace
}  // namespace content::log
