internal import Storage

/// Which of several machines of a description is meant.
struct MachineChoice {
    private let name: String?
    private let language: String
    /// Names that a sentence lists.
    private static let listedLimit = 16

    /// The one called `name`; nil: there is one.
    init(_ name: String?, _ language: String) {
        self.name = name
        self.language = language
    }

    /// The one of `found`; `names` says what each is called, the likeliest first. Throws `corrupt` where there is none, `refused`,
    /// code "several-machines", where nothing says which, and code "no-such-machine" where none or several are called so.
    func one<Value>(of found: [Value], _ names: (Value) -> [String]) throws(StorageError) -> Value {
        guard let first = found.first else {
            throw .machine(.corrupt, .noMachine, language, "describes no machine")
        }
        let list = found.prefix(Self.listedLimit).map {
            names($0).first.map { Array($0.utf8).displayText } ?? "one without a name"
        }.joined(separator: ", ")
        guard let name else {
            guard found.count > 1 else { return first }
            var error = StorageError.machine(
                .refused, .severalMachines, language, "describes \(found.count) machines: \(list)")
            error.remedies = [.chooseMachine]
            throw error
        }
        let chosen = found.filter { names($0).contains { $0.utf8.elementsEqual(name.utf8) } }
        guard let machine = chosen.first, chosen.count == 1 else {
            throw .machine(
                .refused, .noSuchMachine, language,
                "describes \(chosen.isEmpty ? "no machine" : "\(chosen.count) machines") called "
                    + "\(name.hostBytes.displayText); it describes \(list)")
        }
        return machine
    }
}
