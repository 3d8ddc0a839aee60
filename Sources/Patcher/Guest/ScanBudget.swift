internal import GuestTree
internal import Storage

/// What the configuration files of one guest may come to, each and together: no real guest has as much, work on entries and
/// names may take their square in time, and everything that is read is held until the plan is made.
struct ScanBudget {
    /// Why a file is not read. Where a boot needs it, the plan is refused by its name.
    enum Problem {
        /// It is larger than any real one.
        case size
        /// With the files before it there is more than any real guest has.
        case total
        /// It names more further files, by itself or with others, than any real one.
        case includes

        /// For people, behind the file's name.
        var words: String {
            switch self {
            case .size: "it is larger than any real one"
            case .total: "with the files before it there is more configuration than any real guest has"
            case .includes: "it names more further files than any real one"
            }
        }
    }

    /// Files of directories that are looked at, and files that are read, those that others name among them.
    static let fileLimit = 4096
    /// Directories of the EFI system partition that are looked into.
    static let vendorLimit = 64
    /// Bytes of all files.
    private static let byteLimit = 16 << 20
    /// Lines of one.
    private static let lineLimit = 50_000
    /// Words of all, between blanks and line ends: what is kept of one is larger than itself.
    private static let wordLimit = 500_000
    /// Device names of one, and of all.
    private static let siteLimit = 2000
    private static let allSitesLimit = 8000
    /// Entries of all menus.
    private static let entryLimit = 2000
    /// Further files that a menu names, and that all of them name: each is looked for along its path.
    private static let includeLimit = 64
    private static let allIncludesLimit = 1024

    private var files = 0
    private var bytes = 0
    private var words = 0
    private var sites = 0
    private var entries = 0
    private var includes = 0

    /// Takes in a file of that size before it is read.
    mutating func take(byteCount: UInt64) -> Problem? {
        guard byteCount <= UInt64(configurationLimit) else { return .size }
        guard files < Self.fileLimit, byteCount <= UInt64(Self.byteLimit - bytes) else { return .total }
        files += 1
        bytes += Int(byteCount)
        return nil
    }

    /// Takes in that so many further files are named; returns how many of them are looked for.
    mutating func take(includedWordCount count: Int) -> Int {
        let taken = min(count, Self.includeLimit, Self.allIncludesLimit - includes)
        includes += taken
        return taken
    }

    /// Takes in a text before it is parsed.
    mutating func take(text: [UInt8]) -> Problem? {
        var lineCount = 1
        var wordCount = 0
        var isInWord = false
        for byte in text {
            let isDivision = byte.isBlank || byte == .newline
            if byte == .newline { lineCount += 1 }
            if !isDivision, !isInWord { wordCount += 1 }
            isInWord = !isDivision
        }
        guard lineCount <= Self.lineLimit else { return .size }
        guard wordCount <= Self.wordLimit - words else { return .total }
        words += wordCount
        return nil
    }

    /// Takes in what was found in a file.
    mutating func take(_ file: ScannedFile) -> Problem? {
        let count = file.sites.count
        let entryCount = file.bootEntries.count
        guard count <= Self.siteLimit, entryCount <= Self.entryLimit, !isLong(file.syntax) else {
            return .size
        }
        guard count <= Self.allSitesLimit - sites, entryCount <= Self.entryLimit - entries else {
            return .total
        }
        sites += count
        entries += entryCount
        return nil
    }

    private func isLong(_ syntax: any ConfigurationSyntax) -> Bool {
        (syntax as? Fstab).map { $0.rows.count > Fstab.rowLimit } ?? false
    }
}

/// Files that are left alone, for the guest's notes.
struct FilesLeftAlone {
    /// What is told one by one; nobody reads on.
    private static let toldLimit = 20

    private var told: [(path: String, problem: ScanBudget.Problem)] = []
    private var count = 0

    /// Notes one.
    mutating func add(_ path: String, _ problem: ScanBudget.Problem) {
        count += 1
        if told.count < Self.toldLimit { told.append((path, problem)) }
    }

    private var unfound: [(menu: String, word: String)] = []

    /// Notes a file that a menu reads from a device, and that was not found there.
    mutating func addUnfound(_ word: String, of menu: String) {
        guard unfound.count < Self.toldLimit else { return }
        unfound.append((menu, word))
    }

    /// For people.
    var notes: [String] {
        unfound.map {
            "\($0.menu) reads \($0.word), which is not on the given disks or cannot be read: names of devices in it stay as they are"
        }
            + told.map { item in
                switch item.problem {
                case .size: "\(item.path) is larger than any real one and is left alone"
                case .total: "\(item.path) is left alone: \(item.problem.words)"
                case .includes: "not all that \(item.path) names is looked for: \(item.problem.words)"
                }
            } + (count > told.count ? ["\(count - told.count) more files are left alone"] : [])
    }
}
