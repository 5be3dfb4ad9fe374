#include "transfer/exports/disqus.h"

#include <string>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "transfer/dates.h"
#include "transfer/exports/export_file.h"
#include "transfer/exports/hand_over.h"
#include "transfer/exports/xml.h"
#include "transfer/html/plain_text.h"
#include "transfer/web_address.h"

namespace content::transfer {
namespace {

// They are kept in memory.
constexpr size_t kMaxThreads = 1'000'000;

struct DisqusThread {
  std::string address;
  bool is_deleted;
};

// By dsq:id.
using DisqusThreads = absl::flat_hash_map<std::string, DisqusThread>;

// A thread has a link. One without may have an address in its identifier, as WordPress writes
// "962 https://blog.example/?p=962".
std::string DisqusAddress(const XmlElement& thread) {
  if (const absl::string_view link = thread.TextOf("link"); !link.empty()) return std::string(link);
  for (const absl::string_view word : absl::StrSplit(thread.TextOf("id"), ' ')) {
    if (IsWebAddress(word)) return std::string(word);
  }
  return "";
}

// Threads and posts are the children of the root.
constexpr XmlShape kDisqusShape = {.depth = 1};

absl::Status ReadDisqusThreads(ExportFile& file, DisqusThreads& threads) {
  const auto visit = [&threads](const XmlElement& item, const XmlElement* /*from*/) {
    if (item.name != "thread") return true;
    threads[std::string(item.Attribute("id"))] = {DisqusAddress(item),
                                                  item.TextOf("isDeleted") == "true"};
    return threads.size() <= kMaxThreads;
  };
  absl::Status status = ReadXml(file, kDisqusShape, visit);
  if (threads.size() <= kMaxThreads) return status;
  return absl::InvalidArgumentError(absl::StrCat("has more than ", kMaxThreads, " threads"));
}

absl::string_view DisqusId(const XmlElement& post, absl::string_view name) {
  const XmlElement* const other = post.Child(name);
  return other != nullptr ? other->Attribute("id") : "";
}

v1::CommentState DisqusState(const XmlElement& post) {
  if (post.TextOf("isDeleted") == "true") return v1::COMMENT_STATE_DELETED;
  const auto is = [&post](absl::string_view name, absl::string_view usual) {
    const absl::string_view value = post.TextOf(name);
    return value.empty() || value == usual;
  };
  return is("isDeleted", "false") && is("isSpam", "false") && is("isApproved", "true")
             ? v1::COMMENT_STATE_VISIBLE
             : v1::COMMENT_STATE_PENDING;
}

ExportedComment DisqusComment(const XmlElement& post) {
  ExportedComment comment;
  comment.source_id = std::string(post.Attribute("id"));
  // A second id, of the site's.
  if (comment.source_id.empty()) comment.source_id = std::string(post.TextOf("id"));
  comment.parent_source_id = std::string(DisqusId(post, "parent"));
  if (const XmlElement* const author = post.Child("author"); author != nullptr) {
    comment.author_name = std::string(author->TextOf("name"));
    comment.author_key = std::string(author->TextOf("username"));
  }
  if (const auto time = ParseDate(post.TextOf("createdAt"))) comment.create_time = *time;
  comment.state = DisqusState(post);
  comment.body = HtmlToPlainText(post.TextOf("message"));
  return comment;
}

bool TakeDisqusPost(const XmlElement& post, const DisqusThreads& threads, ExportSink& sink) {
  ExportedComment comment = DisqusComment(post);
  const std::string label = absl::StrCat("comment ", comment.source_id);
  if (post.TextOf("isSpam") == "true") return sink.LeaveOut(ItemKind::kComment, label, "spam");
  const auto thread = threads.find(DisqusId(post, "thread"));
  if (thread == threads.end()) {
    return sink.Refuse(ItemKind::kComment, label, "its thread is not in the file");
  }
  if (thread->second.is_deleted) {
    return sink.LeaveOut(ItemKind::kComment, label, "in a deleted thread");
  }
  comment.address = thread->second.address;
  return HandOver(std::move(comment), sink);
}

}  // namespace

bool BeginsLikeDisqus(absl::string_view head) { return absl::StrContains(head, "<disqus"); }

absl::Status ReadDisqus(ExportFile& file, ExportSink& sink) {
  // Posts may come before their threads. What is wrong with the file is said by the second reading.
  DisqusThreads threads;
  absl::Status status = ReadDisqusThreads(file, threads);
  if (threads.size() > kMaxThreads) return status;
  file.Rewind();
  return ReadXml(file, kDisqusShape, [&](const XmlElement& item, const XmlElement* /*from*/) {
    return item.name != "post" || TakeDisqusPost(item, threads, sink);
  });
}

}  // namespace content::transfer
