import ArgumentParser
import DiskGraft

struct InfoCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "info"); mutating func run() throws {}
}
