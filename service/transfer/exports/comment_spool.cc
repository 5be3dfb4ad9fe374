#include "transfer/exports/comment_spool.h"

#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "absl/hash/hash.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "transfer/exports/export_file.h"

namespace content::transfer {
namespace {

constexpr size_t kBufferBytes = size_t{1} << 20;

uint64_t FingerprintOfId(absl::string_view id) { return id.empty() ? 0 : absl::HashOf(id) | 1; }

absl::Status WriteError() {
  return absl::ResourceExhaustedError(absl::StrCat("comments cannot be kept in a temporary file: ",
                                                   std::generic_category().message(errno)));
}

absl::Status ReadError() {
  return absl::DataLossError("a temporary file with comments cannot be read");
}

// Returns whether `bytes` were one.
bool ParseSpooled(absl::string_view bytes, SpooledComment& spooled) {
  uint32_t notes_size = 0;
  if (bytes.size() < sizeof notes_size) return false;
  bytes.copy(reinterpret_cast<char*>(&notes_size), sizeof notes_size);
  bytes.remove_prefix(sizeof notes_size);
  if (notes_size > bytes.size()) return false;
  if (notes_size > 0) spooled.notes = absl::StrSplit(bytes.substr(0, notes_size), '\n');
  bytes.remove_prefix(notes_size);
  return spooled.comment.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()));
}

const std::string& OwnIdOf(const v1::ImportedComment& comment) {
  return comment.source_id().empty() ? comment.comment_id() : comment.source_id();
}

const std::string& ParentIdOf(const v1::ImportedComment& comment) {
  return comment.reply_to_source_id().empty() ? comment.reply_to() : comment.reply_to_source_id();
}

}  // namespace

CommentSpool::~CommentSpool() {
  if (descriptor_ >= 0) close(descriptor_);
}

absl::Status CommentSpool::Add(uint32_t thread, const SpooledComment& spooled) {
  const v1::ImportedComment& comment = spooled.comment;
  const size_t begin = buffer_.size();
  const std::string notes = absl::StrJoin(spooled.notes, "\n");
  const auto notes_size = static_cast<uint32_t>(notes.size());
  buffer_.append(reinterpret_cast<const char*>(&notes_size), sizeof notes_size);
  buffer_.append(notes);
  comment.AppendToString(&buffer_);
  entries_.push_back(
      {.thread = thread,
       .size = static_cast<uint32_t>(buffer_.size() - begin),
       .offset = written_ + begin,
       .time = comment.create_time().seconds() * 1'000'000 + comment.create_time().nanos() / 1'000,
       .id = FingerprintOfId(OwnIdOf(comment)),
       .parent = FingerprintOfId(ParentIdOf(comment))});
  return buffer_.size() < kBufferBytes ? absl::OkStatus() : Flush();
}

absl::Status CommentSpool::Flush() {
  if (descriptor_ < 0) descriptor_ = OpenTemporaryFile();
  if (descriptor_ < 0) return WriteError();
  absl::string_view rest = buffer_;
  while (!rest.empty()) {
    const ssize_t count = write(descriptor_, rest.data(), rest.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return WriteError();
    rest.remove_prefix(static_cast<size_t>(count));
  }
  written_ += buffer_.size();
  buffer_.clear();
  return absl::OkStatus();
}

absl::StatusOr<std::vector<SpooledComment>> CommentSpool::Read(
    absl::Span<const Entry> entries) const {
  std::vector<SpooledComment> comments;
  comments.reserve(entries.size());
  std::string bytes;
  while (!entries.empty()) {
    // The comments of an article often follow one another.
    size_t count = 1;
    size_t size = entries.front().size;
    while (count < entries.size() && entries[count].offset == entries.front().offset + size) {
      size += entries[count++].size;
    }
    bytes.resize(size);
    if (!ReadAt(entries.front().offset, bytes)) return ReadError();
    absl::string_view rest = bytes;
    for (const Entry& entry : entries.subspan(0, count)) {
      if (!ParseSpooled(rest.substr(0, entry.size), comments.emplace_back())) return ReadError();
      rest.remove_prefix(entry.size);
    }
    entries.remove_prefix(count);
  }
  return comments;
}

bool CommentSpool::ReadAt(uint64_t offset, std::string& bytes) const {
  const ssize_t count = pread(descriptor_, bytes.data(), bytes.size(), static_cast<off_t>(offset));
  return count == static_cast<ssize_t>(bytes.size());
}

}  // namespace content::transfer
