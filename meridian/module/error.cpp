#include <meridian/module/error.hpp>

namespace meridian::module {

std::string_view describe(Error error) noexcept {
    switch (error) {
        case Error::OutOfPages:
            return "the arena has as many pages as its limit allows";
        case Error::RunTooLong:
            return "a run of pages has to have between 1 and 2048 pages";
        case Error::UndoFull:
            return "the transaction changes more memory than can be undone; revert it";
        case Error::MissingPage:
            return "a page was needed that the page source does not have";
        case Error::OutOfBounds:
            return "a pointer in the arena leads behind its last page";
        case Error::RegionTooSmall:
            return "the region has fewer pages than the arena's limit; give it more memory";
        case Error::BadHeader:
            return "page 0 is not the header of an arena of this layout";
        case Error::BadChanges:
            return "the changes are not well-formed, or not of this arena";
        case Error::BadWitness:
            return "the witness is not well-formed";
        case Error::BadProof:
            return "the proof does not have the siblings that its pages need";
        case Error::WrongRoot:
            return "the pages do not have the expected root";
    }
    return "unknown error";
}

}  // namespace meridian::module
