// A web application whose connections are run by Waterspout: http://localhost:5000 unless --urls says otherwise.
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;

WebApplicationBuilder builder = WebApplication.CreateSlimBuilder(args);
builder.WebHost.UseWaterspout();

WebApplication app = builder.Build();
app.MapGet("/", static () => "Hello from Waterspout");
app.MapGet("/events", static async context =>
{
    context.Response.ContentType = "text/event-stream";
    for (int i = 0; !context.RequestAborted.IsCancellationRequested; i++)
    {
        await context.Response.WriteAsync($"data: {i}\n\n", context.RequestAborted);
        await Task.Delay(1000, context.RequestAborted);
    }
});
app.Run();
