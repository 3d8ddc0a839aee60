import ArgumentParser
import DiskGraft

/// The command: takes a subcommand and turns errors into sentences and exit statuses.
@main
struct DiskgraftCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "diskgraft",
        abstract: "Takes a virtual machine's disk to another hypervisor and makes it boot there.",
        discussion: """
            Opens disk images itself: no root, no mount, no loop device, no helper VM. The source of a migration is \
            never written.

            Example:
              diskgraft migrate web01.vmdk web01.vhd --to hyperv

            Exit status: 0 done or nothing to do; 1 failed (I/O, corrupt input); 2 refused or cannot boot there, \
            nothing written; 3 (check) leaks; 64 usage; 130 or 143 ended by a signal, nothing half-written.
            """,
        version: "diskgraft \(diskGraftVersion)",
        subcommands: [
            MigrateCommand.self, ConvertCommand.self, InfoCommand.self, InspectCommand.self, PlanCommand.self,
            PatchCommand.self, UndoCommand.self, ListCommand.self, CatCommand.self, MapCommand.self,
            CreateCommand.self, ResizeCommand.self, CompareCommand.self, CheckCommand.self,
            MeasureCommand.self, GetCommand.self,
            StatCommand.self, InitramfsCommand.self,
            FindCommand.self, TarCommand.self, PutCommand.self, EditCommand.self, UntarCommand.self,
            RemoveCommand.self, RemoveDirectoryCommand.self, MoveCommand.self, LinkCommand.self,
            MakeDirectoryCommand.self, MakeNodeCommand.self, ChangeModeCommand.self, ChangeOwnerCommand.self,
            ExtendedAttributeCommand.self, LabelCommand.self,
        ])

    static func main() {
        Interruption.install()
        let arguments = exactArguments()
        func end(_ message: String, _ code: ExitCode) -> Never {
            JSONOutput.printError(message, status: code.rawValue, arguments: arguments)
            exit(withError: code)
        }
        var parsed: (any ParsableCommand.Type)?
        do {
            try requireCommand(arguments.first)
            if let format = CreateOptionsHelp.format(ofOptionsAskedIn: ungluing(arguments)) {
                return try printCreateOptions(format: format, path: "")
            }
            if arguments == ["--version"] {
                // Nothing else is wanted: the parser would first look through every command.
                return Terminal.printMessage(configuration.version, isError: false)
            }
            var command = try parse(ungluing(arguments))
            parsed = type(of: command)
            try honestly(command) {
                try Cancellation { Interruption.hasCome }.covering { try command.run() }
            }
            if Terminal.isCut { exit(withError: ExitCode(Interruption.exitStatus)) }
        } catch let error as StorageError {
            Terminal.printError(error.spelled)
            let status = error.isCancellation ? Interruption.exitStatus : ExitStatus(of: error).rawValue
            end(error.spelled, ExitCode(status))
        } catch {
            // What the parser says repeats arguments, which may be anything.
            let message = Self.message(of: error, in: parsed)
            let code = exitCode(for: error)
            if !message.isEmpty { Terminal.printMessage(message, isError: code != .success) }
            // An exit status alone comes behind what was said.
            end(error is ExitCode ? Terminal.error ?? "" : Self.message(for: error), code)
        }
    }

    /// Asks the command that the first argument names by itself: on the way through the tree of commands the parser looks for
    /// requests for completion scripts and for help at each of them, which takes longer than the commands that only read. What it
    /// does not understand by itself (help, a script, a mistake) goes through the tree, which has the answers to that.
    private static func parse(_ arguments: [String]) throws -> any ParsableCommand {
        if let word = arguments.first,
            let named = configuration.subcommands.first(where: { $0.configuration.commandName == word }),
            let command = try? named.parseAsRoot(Array(arguments.dropFirst())), type(of: command) == named
        {
            return command
        }
        return try parseAsRoot(arguments)
    }

    /// What is wrong with an argument is said with the usage of the command that it was for, which the parser has forgotten
    /// once the command runs.
    private static func message(of error: any Error, in command: (any ParsableCommand.Type)?) -> String {
        guard let command, let error = error as? ValidationError,
            let name = command.configuration.commandName
        else { return fullMessage(for: error) }
        return """
            Error: \(error.message)
            Usage: \(usageString(for: command))
              See 'diskgraft \(name) --help' for more information.
            """
    }

    /// Runs `body`; where it passes no locks over, an error does not advise that.
    private static func honestly(_ command: any ParsableCommand, _ body: () throws -> Void) throws {
        do {
            try body()
        } catch var error as StorageError where (command as? any LockHonouring)?.honoursLocks == true {
            error.remedies.removeAll { $0 == .ignoreLocks }
            throw error
        }
    }

    /// The parser would only count what stands behind a command that there is not.
    private static func requireCommand(_ word: String?) throws {
        let names = configuration.subcommands.compactMap { $0.configuration.commandName }
        guard let word, !word.hasPrefix("-"), !names.contains(word), word != "help" else { return }
        let near = names.filter { word.count > 1 && ($0.hasPrefix(word) || word.hasPrefix($0)) }.sorted()
        let hint = near.isEmpty ? "" : "; did you mean \(near.joined(separator: " or "))?"
        throw ValidationError("there is no command \"\(word)\"\(hint)")
    }
}

extension CommandConfiguration {
    /// The configuration of a command of diskgraft's. That it has a command above it keeps the parser from looking for requests
    /// for completion scripts in it; those are given to diskgraft itself.
    init(subcommand name: String, abstract: String, discussion: String = "") {
        self.init(
            commandName: name, _superCommandName: "diskgraft", abstract: abstract, discussion: discussion)
    }
}

/// A command that may open an image for reading and still takes no -U.
protocol LockHonouring {
    /// It takes none as it was called.
    var honoursLocks: Bool { get }
}

/// What the command ends with.
enum ExitStatus: Int32 {
    /// Done, or nothing to do.
    case done = 0
    /// I/O errors and corrupt input.
    case failed = 1
    /// Refused, unsupported, or cannot boot there; nothing was written.
    case refused = 2
    /// The command line makes no sense.
    case usage = 64

    init(of error: StorageError) {
        switch error.kind {
        case .io, .corrupt: self = .failed
        case .unsupported, .refused: self = .refused
        case .misuse: self = .usage
        }
    }
}
