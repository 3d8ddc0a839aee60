internal import CExpat
internal import Storage

/// Reads an XML text into a tree, by expat. A document type is refused, so that there are no entities but XML's own five and
/// nothing is ever fetched; size, depth and number of elements are bounded.
enum XMLReader {
    /// Bytes of a text.
    static let byteLimit = 16 << 20
    /// Elements within each other.
    static let depthLimit = 100
    /// Elements and attributes of a text.
    static let elementLimit = 400_000

    /// The root of a text. `language` names it in errors. Throws `corrupt`, `refused` for a document type and what is too
    /// large, `unsupported` for encodings other than UTF-8, UTF-16, ISO 8859-1 and ASCII.
    static func root(of bytes: [UInt8], _ language: String) throws(StorageError) -> XMLElement {
        guard bytes.count <= byteLimit else {
            throw .machine(.refused, .tooLarge, language, "is longer than \(byteLimit) bytes")
        }
        let builder = XMLTreeBuilder()
        let failure = try parse(bytes, builder, language)
        switch builder.refusal {
        case .documentType:
            throw .machine(
                .refused, .documentType, language,
                "declares a document type (DOCTYPE), which may define entities; none are read")
        case .depth, .count:
            throw .machine(
                .refused, .tooLarge, language,
                builder.refusal == .depth
                    ? "has elements deeper than \(depthLimit) in each other"
                    : "has more than \(elementLimit) elements")
        case nil: break
        }
        if let failure { throw failure }
        guard let root = builder.root else {
            throw .machine(.corrupt, .damagedXML, language, "holds no element")
        }
        return root
    }

    /// Runs the parser; what it says where it failed.
    private static func parse(
        _ bytes: [UInt8], _ builder: XMLTreeBuilder, _ language: String
    ) throws(StorageError) -> StorageError? {
        guard let parser = unsafe XML_ParserCreate(nil) else {
            throw StorageError.machine(.io, .damagedXML, language, "there is no memory for reading it")
        }
        defer { unsafe XML_ParserFree(parser) }
        // The builder outlives the parser: it is the caller's.
        unsafe XML_SetUserData(parser, Unmanaged.passUnretained(builder).toOpaque())
        unsafe XML_SetStartDoctypeDeclHandler(parser) { data, _, _, _, _ in
            unsafe XMLTreeBuilder.of(data)?.refusal = .documentType
        }
        unsafe XML_SetElementHandler(
            parser,
            { data, name, attributes in
                unsafe XMLTreeBuilder.of(data)?.start(name, attributes)
            }, { data, _ in unsafe XMLTreeBuilder.of(data)?.end() })
        unsafe XML_SetCharacterDataHandler(parser) { data, text, count in
            unsafe XMLTreeBuilder.of(data)?.add(text, Int(count))
        }
        // In pieces, so that what was refused is left at once.
        var position = 0
        while builder.refusal == nil {
            let end = min(position + 4096, bytes.count)
            let isLast = end == bytes.count
            let piece = bytes[position..<end]
            let status = unsafe piece.withUnsafeBytes { buffer in
                unsafe XML_Parse(
                    parser, buffer.baseAddress?.assumingMemoryBound(to: CChar.self), Int32(buffer.count),
                    isLast ? 1 : 0)
            }
            guard status == XML_STATUS_OK else { return unsafe failure(of: parser, language) }
            if isLast { return nil }
            position = end
        }
        return nil
    }

    private static func failure(of parser: XML_Parser, _ language: String) -> StorageError {
        let code = unsafe XML_GetErrorCode(parser)
        let sentence = unsafe XML_ErrorString(code).map { unsafe String(cString: $0) } ?? "cannot be read"
        let line = unsafe XML_GetCurrentLineNumber(parser)
        let isEncoding = code == XML_ERROR_UNKNOWN_ENCODING
        return .machine(
            isEncoding ? .unsupported : .corrupt, isEncoding ? .encoding : .damagedXML, language,
            "its XML cannot be read: \(sentence) in line \(line)")
    }
}

/// The tree as far as the parser has come. Nothing else has it while the parser runs.
private final class XMLTreeBuilder {
    enum Refusal { case documentType, depth, count }

    var root: XMLElement?
    var refusal: Refusal?
    private var open: [XMLElement] = []
    private var count = 0

    static func of(_ data: UnsafeMutableRawPointer?) -> XMLTreeBuilder? {
        guard let data = unsafe data else { return nil }
        return unsafe Unmanaged<XMLTreeBuilder>.fromOpaque(data).takeUnretainedValue()
    }

    func start(
        _ name: UnsafePointer<XML_Char>?, _ attributes: UnsafeMutablePointer<UnsafePointer<XML_Char>?>?
    ) {
        guard refusal == nil else { return }
        var known: [(name: String, value: String)] = []
        var index = 0
        while let key = unsafe attributes?[index], let value = unsafe attributes?[index + 1] {
            unsafe known.append((Self.local(key), String(cString: value)))
            index += 2
        }
        count += 1 + known.count
        guard open.count < XMLReader.depthLimit else {
            refusal = .depth
            return
        }
        guard count <= XMLReader.elementLimit else {
            refusal = .count
            return
        }
        let local = unsafe name.map { unsafe Self.local($0) } ?? ""
        open.append(XMLElement(name: local, attributes: known))
    }

    func end() {
        guard refusal == nil, let last = open.popLast() else { return }
        if open.isEmpty {
            root = last
        } else {
            open[open.count - 1].children.append(last)
        }
    }

    func add(_ text: UnsafePointer<XML_Char>?, _ count: Int) {
        guard refusal == nil, !open.isEmpty, let text = unsafe text else { return }
        let bytes = unsafe UnsafeBufferPointer(start: text, count: count)
        let piece = unsafe String(decoding: bytes.lazy.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        open[open.count - 1].text += piece
    }

    private static func local(_ name: UnsafePointer<XML_Char>) -> String {
        let whole = unsafe String(cString: name)
        guard let colon = whole.lastIndex(of: ":") else { return whole }
        return String(whole[whole.index(after: colon)...])
    }
}
