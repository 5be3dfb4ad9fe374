#include "transfer/exports/xml.h"

#include <libxml/parser.h>
#include <libxml/parserInternals.h>

#include <algorithm>
#include <array>
#include <memory>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "transfer/exports/xml_cleaner.h"

namespace content::transfer {
namespace {

constexpr size_t kMaxElementBytes = size_t{64} << 20;
constexpr size_t kMaxXmlDepth = 100;
// The parser keeps the names of all elements that are open.
constexpr size_t kMaxOpenElements = 10'000;
constexpr size_t kReadBytes = size_t{32} << 10;
// What an element takes beside its texts.
constexpr size_t kElementOverhead = sizeof(XmlElement);

absl::string_view View(const xmlChar* text) {
  return text == nullptr ? "" : reinterpret_cast<const char*>(text);
}

absl::string_view View(const xmlChar* begin, const xmlChar* end) {
  return {reinterpret_cast<const char*>(begin), static_cast<size_t>(end - begin)};
}

// Builds elements of what the parser tells. libxml2's own reader (xmlTextReader) builds trees too,
// but puts the pieces of a long CDATA section together in quadratic time. Names are in the parser's
// dictionary, which lives as long as the parser.
class Builder {
 public:
  Builder(const XmlShape& shape, VisitXml visit) : shape_(shape), visit_(visit) {}

  void Open(absl::string_view name, absl::string_view prefix, absl::string_view space) {
    const bool is_in_kept = IsKept();
    ++depth_;
    if (depth_ > kMaxOpenElements) Fail("elements are too deep in each other");
    if (!is_in_kept && depth_ != shape_.depth + 1) return;
    if (path_.size() == kMaxXmlDepth) {
      return Miss(absl::StrCat("has elements more than ", kMaxXmlDepth, " levels deep"));
    }
    const size_t bytes_before = bytes_;
    if (!Count(kElementOverhead + name.size() + space.size())) return;
    XmlElement element = {.name = name, .space = space.empty() ? prefix : space};
    if (!path_.empty()) element.offset = path_.back().element.text.size();
    path_.push_back({.element = std::move(element), .bytes_before = bytes_before});
  }

  void AddAttribute(absl::string_view name, absl::string_view value) {
    if (!IsKept()) return;
    if (!Count(name.size() + value.size())) return Empty();
    path_.back().element.attributes.emplace_back(name, value);
  }

  void AddText(absl::string_view text) {
    if (!IsKept()) return;
    if (!Count(text.size())) return Empty();
    path_.back().element.text.append(text.data(), text.size());
  }

  void Close() {
    const bool is_of_path = !path_.empty() && depth_ == shape_.depth + path_.size();
    --depth_;
    if (!is_of_path) return;
    const bool is_detached = IsDetached();
    OpenElement closed = std::move(path_.back());
    path_.pop_back();
    if (path_.empty() || is_detached) {
      bytes_ = closed.bytes_before;
      has_ended_ = !visit_(closed.element, is_detached ? &path_.front().element : nullptr);
    } else {
      path_.back().element.children.push_back(std::move(closed.element));
    }
  }

  void Fail(absl::string_view problem) {
    if (problem_.empty()) problem_ = std::string(problem);
    has_ended_ = true;
  }

  void CutOff(int line) {
    Fail(absl::StrCat("line ", line, ": the file was cut off here"));
    is_cut_off_ = true;
  }

  /// What comes now is the end of the file.
  void ReachEnd() { has_reached_end_ = true; }

  /// Returns whether elements are open at the end of the file.
  bool misses_end() const { return has_reached_end_ && depth_ > 0; }
  bool is_cut_off() const { return is_cut_off_; }
  bool has_ended() const { return has_ended_; }
  const std::string& problem() const { return problem_; }

 private:
  struct OpenElement {
    XmlElement element;
    size_t bytes_before;  // how much was kept when it began
    bool is_emptied = false;
  };

  // Returns whether what comes now is kept: it is in the last element of the path.
  bool IsKept() const {
    return !path_.empty() && depth_ == shape_.depth + path_.size() && !path_.back().is_emptied;
  }

  // Returns whether the last element of the path will be detached.
  bool IsDetached() const {
    return path_.size() == 2 && path_.back().element.name == shape_.detached_name;
  }

  // Returns whether there is room for so many bytes more.
  bool Count(size_t bytes) {
    if (bytes > kMaxElementBytes - bytes_) {
      Miss(absl::StrCat("is larger than ", kMaxElementBytes >> 20, " MiB"));
      return false;
    }
    bytes_ += bytes;
    return true;
  }

  // Notes why the element that will be visited is not complete.
  void Miss(absl::string_view problem) {
    const bool is_in_detached = path_.size() > 1 && path_[1].element.name == shape_.detached_name;
    path_[is_in_detached ? 1 : 0].element.problem = std::string(problem);
  }

  // Makes room for what follows the last element of the path.
  void Empty() {
    OpenElement& emptied = path_.back();
    emptied.element.text.clear();
    emptied.element.children.clear();
    emptied.is_emptied = true;
    bytes_ = emptied.bytes_before;
  }

  const XmlShape& shape_;
  const VisitXml visit_;
  size_t depth_ = 0;
  std::vector<OpenElement> path_;  // to the element that is open, from the one to be visited
  size_t bytes_ = 0;
  bool has_reached_end_ = false;
  bool is_cut_off_ = false;
  bool has_ended_ = false;
  std::string problem_;
};

xmlParserCtxt& ContextOf(void* context) { return *static_cast<xmlParserCtxt*>(context); }

Builder& BuilderOf(void* context) { return *static_cast<Builder*>(ContextOf(context)._private); }

void StopIfEnded(void* context) {
  if (BuilderOf(context).has_ended()) xmlStopParser(&ContextOf(context));
}

void OnOpen(void* context, const xmlChar* name, const xmlChar* prefix, const xmlChar* space,
            int /*namespace_count*/, const xmlChar** /*namespaces*/, int attribute_count,
            int /*default_count*/, const xmlChar** attributes) {
  Builder& builder = BuilderOf(context);
  if (builder.has_ended()) return;
  builder.Open(View(name), View(prefix), View(space));
  constexpr int kPartsOfAttribute = 5;  // name, prefix, namespace, begin, end
  for (int i = 0; i < attribute_count; ++i, attributes += kPartsOfAttribute) {
    builder.AddAttribute(View(attributes[0]), View(attributes[3], attributes[4]));
  }
  StopIfEnded(context);
}

void OnClose(void* context, const xmlChar* /*name*/, const xmlChar* /*prefix*/,
             const xmlChar* /*space*/) {
  if (BuilderOf(context).has_ended()) return;
  BuilderOf(context).Close();
  StopIfEnded(context);
}

void OnText(void* context, const xmlChar* text, int size) {
  if (BuilderOf(context).has_ended()) return;
  BuilderOf(context).AddText(View(text, text + size));
  StopIfEnded(context);
}

void OnEntityDeclaration(void* context, const xmlChar* /*name*/, int /*type*/,
                         const xmlChar* /*public_id*/, const xmlChar* /*system_id*/,
                         xmlChar* /*content*/) {
  BuilderOf(context).Fail("it declares entities, as no export does");
  xmlStopParser(&ContextOf(context));
}

// Prefixes without a namespace are no fatal errors. They are common in old exports.
void OnError(void* context, const xmlError* error) {
  if (error->level != XML_ERR_FATAL) return;
  Builder& builder = BuilderOf(context);
  const xmlParserInput* const input = ContextOf(context).input;
  const bool is_at_end =
      error->code == XML_ERR_DOCUMENT_END || input == nullptr || input->cur >= input->end;
  if (is_at_end && builder.misses_end()) return builder.CutOff(error->line);
  const absl::string_view message = error->message == nullptr ? "" : error->message;
  builder.Fail(absl::StrCat("line ", error->line, ": ", absl::StripAsciiWhitespace(message)));
}

xmlSAXHandler Handler() {
  xmlSAXHandler handler = {};
  handler.initialized = XML_SAX2_MAGIC;
  handler.startElementNs = OnOpen;
  handler.endElementNs = OnClose;
  handler.characters = OnText;
  handler.cdataBlock = OnText;
  handler.entityDecl = OnEntityDeclaration;
  // libxml2 12 made the parameter const.
  handler.serror = reinterpret_cast<xmlStructuredErrorFunc>(OnError);
  return handler;
}

// Returns whether a file begins with the byte order mark of UTF-16, or with half of a `<`.
bool IsUtf16(absl::string_view bytes) {
  return absl::StartsWith(bytes, "\xFE\xFF") || absl::StartsWith(bytes, "\xFF\xFE") ||
         absl::StrContains(bytes.substr(0, 2), '\0');
}

// Reads up to where the first element begins, or what stands for it. What is before that is a slip
// of an editor.
absl::StatusOr<std::string> ReadBeginning(ExportFile& file) {
  std::string beginning(kReadBytes, '\0');
  while (true) {
    const absl::StatusOr<size_t> count = file.Read(beginning.data(), beginning.size());
    if (!count.ok()) return count.status();
    const absl::string_view bytes = absl::string_view(beginning).substr(0, *count);
    if (IsUtf16(bytes)) return absl::InvalidArgumentError("the file is UTF-16 text, not UTF-8");
    const size_t begin = bytes.find('<');
    if (begin != absl::string_view::npos || bytes.empty()) {
      return std::string(bytes.substr(std::min(begin, bytes.size())));
    }
  }
}

// Of a document type it makes a document, which it does not free.
struct FreeParser {
  void operator()(xmlParserCtxt* parser) const {
    xmlFreeDoc(parser->myDoc);
    xmlFreeParserCtxt(parser);
  }
};

}  // namespace

const XmlElement* XmlElement::Child(absl::string_view child_name) const {
  const XmlElement* of_other_space = nullptr;
  for (const XmlElement& child : children) {
    if (child.name != child_name) continue;
    if (child.space == space) return &child;
    if (of_other_space == nullptr) of_other_space = &child;
  }
  return of_other_space;
}

absl::string_view XmlElement::TextOf(absl::string_view child_name) const {
  const XmlElement* const child = Child(child_name);
  return child == nullptr ? "" : absl::StripAsciiWhitespace(child->text);
}

absl::string_view XmlElement::Attribute(absl::string_view attribute_name) const {
  const auto attribute =
      std::find_if(attributes.begin(), attributes.end(),
                   [attribute_name](const auto& at) { return at.first == attribute_name; });
  return attribute == attributes.end() ? "" : absl::string_view(attribute->second);
}

absl::Status ReadXml(ExportFile& file, const XmlShape& shape, VisitXml visit) {
  absl::StatusOr<std::string> beginning = ReadBeginning(file);
  if (!beginning.ok()) return beginning.status();
  Builder builder(shape, visit);
  xmlSAXHandler handler = Handler();
  const std::unique_ptr<xmlParserCtxt, FreeParser> context(
      xmlCreatePushParserCtxt(&handler, nullptr, nullptr, 0, nullptr));
  if (context == nullptr) return absl::ResourceExhaustedError("there is no memory for a parser");
  // The limits of the builder and the cleaner take the place of the parser's, which end the file.
  // Without NOENT, `&amp;` in an attribute is told as `&#38;`.
  xmlCtxtUseOptions(context.get(), XML_PARSE_NONET | XML_PARSE_HUGE | XML_PARSE_NOENT);
  context->_private = &builder;
  XmlCleaner cleaner(*beginning);
  std::array<char, kReadBytes> buffer;
  absl::string_view piece = *beginning;
  while (!builder.has_ended()) {
    const std::string clean = cleaner.Clean(piece);
    if (cleaner.has_huge_tag()) builder.Fail("a tag is too large");
    if (piece.empty()) builder.ReachEnd();
    xmlParseChunk(context.get(), clean.data(), static_cast<int>(clean.size()),
                  piece.empty() ? 1 : 0);
    if (piece.empty()) break;
    const absl::StatusOr<size_t> count = file.Read(buffer.data(), buffer.size());
    if (!count.ok()) return count.status();
    piece = {buffer.data(), *count};
  }
  if (builder.problem().empty()) return absl::OkStatus();
  if (builder.is_cut_off()) return absl::DataLossError(builder.problem());
  return absl::DataLossError(absl::StrCat(builder.problem(), "; what follows was not read"));
}

}  // namespace content::transfer
