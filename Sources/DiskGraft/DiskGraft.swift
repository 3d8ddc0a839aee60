/// The version of the engine and of the command.
public let diskGraftVersion = "0.1.0"
