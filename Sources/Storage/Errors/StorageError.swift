internal import Glibc

/// The one error type that crosses the layers. Prints as one sentence that names the layer, the structure and,
/// where there is one, the byte offset, and says what a user can do about it.
public struct StorageError: Error, Equatable, Sendable, CustomStringConvertible {
    /// What kind of failure it is; decides the command's exit status.
    public enum Kind: String, Sendable, Equatable {
        /// The operating system failed a call.
        case io
        /// The bytes contradict the format.
        case corrupt
        /// Valid, but uses something that is not built here.
        case unsupported
        /// Could be done, and is not, to protect the user's data or machine.
        case refused
        /// The caller asked for something that makes no sense.
        case misuse
    }

    /// What kind of failure it is.
    public var kind: Kind
    /// The layer that found it: "qcow2", "gpt", "ext4", "host file"…
    public var layer: String
    /// A stable word for scripts and tests, unique within the layer: "l2-table-unaligned".
    public var code: String
    /// The sentence, without layer and offset.
    public var message: String
    /// The on-disk structure, as the format's documentation names it.
    public var structure: String?
    /// The field within the structure.
    public var field: String?
    /// The byte offset of the structure or field within the layer's own input.
    public var offset: UInt64?
    /// The operating system's error number, for `io`.
    public var errno: Int32?
    /// The file or image that was being worked on, where the layer that adds it knows.
    public var path: String?
    /// The phase of a change written in order that failed: those before it are durable, none after it has begun.
    public var phase: String?
    /// What can be done about it, likeliest first.
    public var remedies: [Remedy] = []
    /// The enumeration that the code belongs to; `layer` may name the format instead.
    private var domain: String
    /// None or one; an array, because a struct cannot hold itself.
    private var causes: [StorageError] = []

    /// The error of a lower layer that led to this one.
    public var cause: StorageError? {
        get { causes.first }
        set { causes = newValue.map { [$0] } ?? [] }
    }

    /// The code with its layer, for programs to compare.
    public var id: ErrorCode { ErrorCode(layer: domain, word: code) }

    /// Whether this is the error of that code.
    public func isCode(_ code: some LayerCode) -> Bool { id == ErrorCode(code) }

    /// Makes an error of a layer. `layerName` stands for the code's own layer in the sentence where several formats
    /// share the code. See the properties for the other parts.
    public init(
        _ kind: Kind, _ code: some LayerCode, _ message: String, layerName: String? = nil,
        structure: String? = nil, field: String? = nil, offset: UInt64? = nil, errno: Int32? = nil,
        path: String? = nil, cause: StorageError? = nil, remedies: [Remedy] = []
    ) {
        let id = ErrorCode(code)
        self.kind = kind
        layer = layerName ?? id.layer
        domain = id.layer
        self.code = id.word
        self.message = message
        self.structure = structure
        self.field = field
        self.offset = offset
        self.errno = errno
        self.path = path
        self.remedies = remedies
        causes = cause.map { [$0] } ?? []
    }

    /// Makes an error. See the properties for each part.
    public init(
        _ kind: Kind, layer: String, code: String, _ message: String, structure: String? = nil,
        field: String? = nil, offset: UInt64? = nil, errno: Int32? = nil, path: String? = nil
    ) {
        self.kind = kind
        self.layer = layer
        domain = layer
        self.code = code
        self.message = message
        self.structure = structure
        self.field = field
        self.offset = offset
        self.errno = errno
        self.path = path
    }

    /// A failed system call on `layer` ("host file", "directory"…).
    public static func io(
        _ layer: String, operation: String, errno: Int32, path: String? = nil, offset: UInt64? = nil
    ) -> StorageError {
        StorageError(
            .io, layer: layer, code: operation, "\(operation) failed: \(errnoText(errno))", offset: offset,
            errno: errno, path: path)
    }

    /// The same error, naming the file it happened in unless it already names one.
    public func inFile(_ path: String) -> StorageError {
        guard self.path == nil else { return self }
        var copy = self
        copy.path = path
        return copy
    }

    /// The same error, naming the phase of a change it happened in.
    func inPhase(_ name: String) -> StorageError {
        var copy = self
        copy.phase = copy.phase ?? name
        return copy
    }

    /// `FILE: layer: sentence (structure, field F, phase P, at byte 0x…)`.
    public var description: String {
        var text = ""
        if let path { text += "\(path.hostBytes.shellText): " }
        text += "\(layer): \(message)"
        var place: [String] = []
        if let structure { place.append(structure) }
        if let field { place.append("field \(field)") }
        if let phase { place.append("phase \"\(phase)\"") }
        if let offset { place.append("at byte \(offset.hex)") }
        if !place.isEmpty { text += " (\(place.joined(separator: ", ")))" }
        return text
    }

    private static func errnoText(_ number: Int32) -> String {
        guard let text = unsafe strerror(number) else { return "error \(number)" }
        return unsafe String(cString: text)
    }
}
