internal import HostIO
package import Storage

/// A note on the image itself that a change of it may be half done, and where its record is: found by every name of the
/// file, in other directories too, wherever it was moved, and in what copied it with its attributes. It is durable before the
/// record is hot, and goes when the record says that the change is complete or taken back. So a mark whose record says that
/// means nothing, and one whose record is gone means that nobody can tell.
///
/// The extended attribute `user.diskgraft.undo`: the transaction's identifier in hexadecimal, a space, and the record's absolute
/// path. Where the file system keeps none, a record is found beside its file only.
struct UndoMark: Equatable {
    private static let attribute = "user.diskgraft.undo"
    /// PATH_MAX, an identifier and the space.
    private static let sizeLimit = 4096 + 33

    let transactionID: [UInt8]
    let recordPath: String

    /// The mark of a change whose record is at `recordPath`.
    init(transactionID: [UInt8], recordPath: String) {
        self.transactionID = transactionID
        self.recordPath = HostDirectory.absolutePath(recordPath)
    }

    /// What a file says.
    enum Found {
        case mark(UndoMark)
        /// It has none, or what is none: no change of it is half done, wherever records say so.
        case none
        /// Its file system keeps none.
        case notKept

        var mark: UndoMark? { if case .mark(let mark) = self { mark } else { nil } }

        /// Whether a change may be half done, as far as the file's own word goes.
        func allows(_ transactionID: [UInt8]) -> Bool {
            switch self {
            case .mark(let mark): mark.transactionID == transactionID
            case .none: false
            case .notKept: true
            }
        }
    }

    /// The mark of the file at `path`, through links. Throws `io` where the host cannot tell: it may be half changed.
    static func find(on path: String) throws(StorageError) -> Found {
        // The kernel says of a device that it has none.
        if HostFile.deviceNumber(of: path) != nil { return .notKept }
        switch try HostFile.attribute(attribute, ofFile: path, limit: sizeLimit) {
        case .value(let value):
            guard value.count > 33, value[32] == UInt8(ascii: " "), let id = bytes(ofHex: value[..<32])
            else { return .none }
            return .mark(UndoMark(transactionID: id, recordPath: String(hostBytes: value[33...])))
        case .none: return .none
        case .notKept: return .notKept
        }
    }

    /// Whether the file itself says that no change of it is half done.
    static func isSettled(_ path: String) throws(StorageError) -> Bool {
        if case .none = try find(on: path) { true } else { false }
    }

    private static func bytes(ofHex digits: ArraySlice<UInt8>) -> [UInt8]? {
        let values = digits.compactMap { Character(UnicodeScalar($0)).hexDigitValue }
        guard values.count == digits.count else { return nil }
        return stride(from: 0, to: values.count - 1, by: 2).map { UInt8(values[$0] * 16 + values[$0 + 1]) }
    }

    /// Marks a file, durably. It stays without where its file system keeps no attributes; any other failure is an error: the
    /// change would not be seen by other names, and what is not marked is taken for settled.
    func set(on file: any ByteFile) throws(StorageError) {
        let value = transactionID.hexDigits + [UInt8(ascii: " ")] + recordPath.hostBytes
        do throws(StorageError) {
            try file.setAttribute(Self.attribute, to: value)
        } catch {
            // Said when it was opened.
            guard HostFile.keepsNone(error) else { throw error }
        }
    }

    /// Takes a file's mark off, durably; with a transaction, its mark and no other's.
    static func clear(on file: any ByteFile, _ transactionID: [UInt8]? = nil) throws(StorageError) {
        if let transactionID, HostDirectory.identity(of: file.path) == file.identity,
            let mark = try find(on: file.path).mark, mark.transactionID != transactionID
        {
            return
        }
        try file.setAttribute(attribute, to: nil)
    }

    // MARK: The place of a finished change's record

    /// The extended attribute `user.diskgraft.record`: the absolute path of the newest record, for `undo` by another name of
    /// the file. It promises nothing: what is not there, or is of another file, is none.
    private static let placeAttribute = "user.diskgraft.record"

    static func setPlace(on file: any ByteFile, _ recordPath: String) throws(StorageError) {
        let value = HostDirectory.absolutePath(recordPath).hostBytes
        guard try HostFile.attribute(placeAttribute, ofFile: file.path, limit: sizeLimit).bytes != value
        else {
            return
        }
        try file.setAttribute(placeAttribute, to: value)
    }

    static func place(of path: String) throws(StorageError) -> String? {
        try HostFile.attribute(placeAttribute, ofFile: path, limit: sizeLimit).bytes.map {
            String(hostBytes: $0)
        }
    }

    static func clearPlace(on file: any ByteFile) throws(StorageError) {
        try file.setAttribute(placeAttribute, to: nil)
    }
}

extension ByteFile {
    /// How many names the file has, where a change that is cut off would not be seen by those in other directories;
    /// else nil.
    package var namesWithoutMark: UInt64? {
        guard !keepsAttributes, let count = nameCount, count > 1 else { return nil }
        return count
    }
}
